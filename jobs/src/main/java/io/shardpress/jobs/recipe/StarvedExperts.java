package io.shardpress.jobs.recipe;

/** What becomes of an expert that too few calibration tokens reach. */
public enum StarvedExperts {
  /** Its statistics are taken from every token of the layer instead. */
  ALL_TOKENS,
  /** Its layers are rounded to nearest, and count as fallbacks. */
  FALL_BACK,
  /** The run fails and names it. */
  FAIL
}
