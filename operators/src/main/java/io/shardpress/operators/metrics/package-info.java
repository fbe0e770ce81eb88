/** How far a compressed model's predictions are from the text and from the dense model's. */
package io.shardpress.operators.metrics;
