package io.shardpress.jobs.calibrate;

/**
 * How many calibration tokens reached one shared input of a routed expert.
 *
 * @param action what the minimum-tokens policy did: {@code none}, {@code all-tokens} or {@code
 *     fall-back}
 */
public record ExpertTokens(String input, long tokens, String action) {}
