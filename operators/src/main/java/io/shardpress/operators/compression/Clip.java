package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.util.List;

/**
 * How the range of a group is found before rounding. {@code mse} shrinks the absmax range by {@code
 * p = 1 − i/grid}, {@code i = 0 … max-shrink·grid − 1}, and keeps the p with the least {@code Σ|x̂
 * − x|^norm}; the largest such p wins. {@code best} solves a layer with four ranges, from not
 * clipped to fully searched, and keeps row by row what loses least of the layer's output: a sweep
 * that feeds errors forward needs room at the ends, and how much differs from row to row. Settings
 * may give the method's name alone.
 *
 * @param grid steps into which the full range is divided
 * @param maxShrink the share of the range that may be cut away, in {@code [0, 1)}
 * @param norm exponent of the error, at least 1
 */
public record Clip(Method method, int grid, double maxShrink, double norm)
    implements java.io.Serializable {
  /** The plain range. */
  public static final Clip ABSMAX = new Clip(Method.ABSMAX, 100, 0.8, 2.4);

  /** The search with the values of the published GPTQ code. */
  public static final Clip MSE = new Clip(Method.MSE, 100, 0.8, 2.4);

  /** Several of them; {@link #MSE} where no statistics say what a row loses. */
  public static final Clip BEST = new Clip(Method.BEST, 100, 0.8, 2.4);

  /** The clip that statistics of the weights say is best, for zero-aligned levels. */
  public static final Clip SAWB = new Clip(Method.SAWB, 100, 0.8, 2.4);

  /** What is done to the range. */
  public enum Method {
    ABSMAX,
    MSE,
    BEST,
    SAWB
  }

  public Clip {
    if (grid < 1 || grid > 10_000) {
      throw new InputException("clip.grid = %d: give 1 to 10000 steps.".formatted(grid));
    }
    if (!(maxShrink >= 0 && maxShrink < 1)) {
      throw new InputException(
          "clip.max-shrink = %s: give a share from 0 up to, not including, 1."
              .formatted(maxShrink));
    }
    if (!(norm >= 1 && norm <= 10)) {
      throw new InputException("clip.norm = %s: give an exponent from 1 to 10.".formatted(norm));
    }
  }

  /**
   * The plain ranges to solve with, the first winning ties: searched in full, not clipped, clipped
   * a little, and searched with more weight on large errors.
   */
  List<Clip> candidates() {
    return method == Method.BEST
        ? List.of(
            new Clip(Method.MSE, grid, maxShrink, norm),
            new Clip(Method.ABSMAX, grid, maxShrink, norm),
            new Clip(Method.MSE, grid, maxShrink / 4, norm),
            new Clip(Method.MSE, grid, maxShrink, Math.min(10, norm + 1.6)))
        : List.of(this);
  }

  /** How the range of a group is found, for people. */
  String describe(Grid grid) {
    if (method == Method.SAWB) {
      return "ranges follow from statistics of the weights (SAWB)";
    }
    return GroupRange.searches(this, grid)
        ? "ranges are cut where that lowers the rounding error"
        : "ranges reach to the largest weight";
  }

  /** Refuses a grid that the method has no answer for. */
  void check(Grid grid) {
    if (method == Method.SAWB && grid.levels() != Levels.ZERO_ALIGNED) {
      throw new InputException(
          "clip = sawb goes with levels = zero-aligned: its constants are for grids in which the"
              + " clip itself is a level.");
    }
  }

  /** Reads {@code best}, {@code mse}, {@code absmax} or {@code sawb}. */
  public static Clip parse(String text) {
    return switch (text) {
      case "mse" -> MSE;
      case "best" -> BEST;
      case "absmax" -> ABSMAX;
      case "sawb" -> SAWB;
      default ->
          throw new InputException("clip = %s: give best, mse, absmax or sawb.".formatted(text));
    };
  }
}
