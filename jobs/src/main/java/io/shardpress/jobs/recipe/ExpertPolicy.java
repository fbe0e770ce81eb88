package io.shardpress.jobs.recipe;

/**
 * When a routed expert counts as starved of calibration tokens, and what happens then.
 *
 * @param minimumTokens tokens below which an expert is starved
 * @param minimumShare share of all calibration tokens below which it is, in [0, 1]
 */
public record ExpertPolicy(long minimumTokens, double minimumShare, StarvedExperts starved) {
  public ExpertPolicy {
    if (minimumTokens < 0 || !(minimumShare >= 0 && minimumShare <= 1)) {
      throw new IllegalArgumentException(
          "minimum-tokens must be 0 or more and minimum-share in [0, 1], not %d and %s"
              .formatted(minimumTokens, minimumShare));
    }
  }

  /** Tokens an expert needs when {@code total} were seen by its layer. */
  public long required(long total) {
    return Math.max(minimumTokens, (long) Math.ceil(minimumShare * total));
  }
}
