package io.shardpress.jobs.recipe;

/** Which activations the statistics of a block are taken from. */
public enum CalibrationMode {
  /** One forward pass of the dense model serves all blocks; then all layers solve in parallel. */
  ONE_PASS,
  /** Block by block: each sees what the compressed blocks before it put out. */
  SEQUENTIAL
}
