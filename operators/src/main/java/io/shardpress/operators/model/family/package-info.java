/**
 * One file per decoder family: it reads {@code config.json} and returns a {@link
 * io.shardpress.operators.model.description.DecoderDescription}. A new family is a copy of the
 * nearest one, listed in {@link io.shardpress.operators.model.family.Families}.
 */
package io.shardpress.operators.model.family;
