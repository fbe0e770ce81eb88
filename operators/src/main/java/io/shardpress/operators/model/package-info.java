/**
 * Model families: what makes a block, which linears share an input, how a block runs forward. A
 * family is a description ({@link io.shardpress.operators.model.family}) that one generic decoder
 * ({@link io.shardpress.operators.model.decoder}) interprets.
 */
package io.shardpress.operators.model;
