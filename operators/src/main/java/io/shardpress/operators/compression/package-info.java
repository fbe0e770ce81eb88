/**
 * Compression algorithms on one linear layer: a settings record each, and a pure operator {@code
 * (weights, statistics, settings) → (compressed layer, report)}.
 */
package io.shardpress.operators.compression;
