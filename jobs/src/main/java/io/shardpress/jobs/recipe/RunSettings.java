package io.shardpress.jobs.recipe;

import io.shardpress.operators.linalg.KernelChoice;

/**
 * The recipe's {@code run} section.
 *
 * @param allowedFallbacks layers that may fall back before the run counts as a failure
 * @param kernels what the driver and all executors compute with
 */
public record RunSettings(int allowedFallbacks, KernelChoice kernels) {
  public RunSettings {
    if (allowedFallbacks < 0) {
      throw new IllegalArgumentException(
          "allowed-fallbacks must be 0 or more, not " + allowedFallbacks);
    }
  }
}
