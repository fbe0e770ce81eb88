package io.shardpress.jobs.recipe;

/**
 * The recipe's {@code run} section.
 *
 * @param allowedFallbacks layers that may fall back before the run counts as a failure
 */
public record RunSettings(int allowedFallbacks) {
  public RunSettings {
    if (allowedFallbacks < 0) {
      throw new IllegalArgumentException(
          "allowed-fallbacks must be 0 or more, not " + allowedFallbacks);
    }
  }
}
