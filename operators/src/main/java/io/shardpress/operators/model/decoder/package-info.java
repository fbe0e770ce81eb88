/** The one decoder that interprets every description. */
package io.shardpress.operators.model.decoder;
