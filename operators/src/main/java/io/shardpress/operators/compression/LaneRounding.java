package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Rounds loaded groups to their grids and measures what that changes. Sums of squares are taken in
 * F32 for {@value #SUMMED_ROUNDS} rounds where it holds them, then in F64. Scratch of one thread.
 */
final class LaneRounding {
  private static final int SUMMED_ROUNDS = 64;

  /** Less than a step by more than products of a code and a scale are rounded by. */
  private static final float NEARLY_A_STEP = 0.9f;

  /** Products of codes and smaller scales may lose bits to underflow. */
  private static final float SMALLEST_EXACT = 0x1p-100f;

  /** Between these, squares neither overflow in F32 nor lose what matters to underflow. */
  private static final float SMALLEST_SQUARED = 0x1p-40f;

  private static final float LARGEST_SQUARED = 0x1p40f;

  private final Grid grid;
  private final DType computeType;
  private final GroupLanes lanes;
  private final float[] scales;
  private final float[] zeros;
  private final float[][] rounded;
  private final float[][] errors;
  private final float[][] energies;
  private final int[][] codes;
  private final int[] pairs;
  private final short[] shorts;
  private final byte[] bytes;
  private final Reinterpretation reinterpretation;
  private int rounds;
  private double error;
  private double energy;

  /**
   * @param computeType F32, or the type that every intermediate is rounded to, as upstream does
   */
  LaneRounding(Grid grid, DType computeType, GroupLanes lanes) {
    this.grid = grid;
    this.computeType = computeType;
    this.lanes = lanes;
    int count = lanes.count();
    int slots = (lanes.capacity() + count - 1) / count;
    scales = new float[slots];
    zeros = new float[slots];
    rounded = new float[count][slots];
    errors = new float[count][slots];
    energies = new float[count][slots];
    codes = new int[count][slots];
    pairs = new int[count == 2 ? slots : 0];
    shorts = new short[count == 2 ? slots : 0];
    bytes = new byte[count == 1 ? slots : 0];
    reinterpretation = new Reinterpretation(slots);
  }

  /** Gives a loaded group its scale and zero point. */
  void lay(int group, float scale, float zeroPoint) {
    int from = lanes.firstSlot(group);
    int to = lanes.firstSlot(group + 1);
    Arrays.fill(scales, from, to, scale);
    if (!grid.symmetric()) {
      Arrays.fill(zeros, from, to, zeroPoint);
    }
  }

  /**
   * Rounds all loaded groups, each of which has its scale, and writes their codes.
   *
   * @param largest the largest magnitude of the loaded weights
   */
  void round(byte[] into, int at, float largest) {
    int slots = lanes.slots();
    boolean squares = largest == 0 || (SMALLEST_SQUARED < largest && largest < LARGEST_SQUARED);
    for (int lane = 0; lane < lanes.count(); lane++) {
      float[] x = lanes.values(lane);
      float[] q = rounded[lane];
      if (computeType == DType.F32 && grid.symmetric() && squares) {
        LaneLoops.roundAndAddSquares(
            x, scales, slots, grid.lowest(), grid.highest(), q, errors[lane], energies[lane]);
      } else {
        roundThenMeasure(x, slots, lane, squares);
      }
      reinterpretation.toBits(q, slots, codes[lane]);
    }
    if (++rounds == SUMMED_ROUNDS) {
      sumSquares();
    }
    write(into, at);
  }

  private void roundThenMeasure(float[] x, int slots, int lane, boolean squares) {
    float[] q = rounded[lane];
    if (computeType == DType.F32) {
      LaneLoops.round(x, scales, zeros, slots, grid.lowest(), grid.highest(), q);
    } else {
      roundInComputeType(x, slots, q);
    }
    if (squares) {
      LaneLoops.addSquares(x, scales, zeros, q, slots, errors[lane], energies[lane]);
    } else {
      addSquares(x, slots, q);
    }
  }

  private void roundInComputeType(float[] x, int n, float[] q) {
    for (int k = 0; k < n; k++) {
      float quotient = FloatCodec.roundTo(computeType, x[k] / scales[k]);
      float t = FloatCodec.roundTo(computeType, quotient + zeros[k]);
      q[k] = Math.min(Math.max(t, grid.lowest()), grid.highest()) + Rounding.MAGIC;
    }
  }

  private void addSquares(float[] x, int n, float[] q) {
    for (int k = 0; k < n; k++) {
      double moved = x[k] - (q[k] - Rounding.MAGIC - zeros[k]) * scales[k];
      error += moved * moved;
      energy += (double) x[k] * x[k];
    }
  }

  private void write(byte[] into, int at) {
    int columns = lanes.columns();
    if (lanes.count() == 1) {
      LaneLoops.narrow(codes[0], columns, bytes);
      System.arraycopy(bytes, 0, into, at, columns);
      return;
    }
    LaneLoops.pair(codes[0], codes[1], lanes.slots(), pairs);
    LaneLoops.narrow(pairs, columns / 2, shorts);
    ByteBuffer.wrap(into, at, columns)
        .slice()
        .order(ByteOrder.LITTLE_ENDIAN)
        .asShortBuffer()
        .put(shorts, 0, columns / 2);
    if (columns % 2 == 1) {
      into[at + columns - 1] = (byte) pairs[columns / 2];
    }
  }

  /**
   * Whether weights from {@code min} to {@code max} may lie more than one step outside the grid:
   * hardly ever where the range was not searched.
   */
  boolean mayClip(float min, float max, float scale, float zeroPoint) {
    return computeType != DType.F32
        || scale < SMALLEST_EXACT
        || max > (grid.highest() - zeroPoint + NEARLY_A_STEP) * scale
        || min < (grid.lowest() - zeroPoint - NEARLY_A_STEP) * scale;
  }

  /** How many weights of a rounded group lie more than one step outside the grid. */
  int clipped(int group) {
    int count = 0;
    for (int lane = 0; lane < lanes.count(); lane++) {
      float[] x = lanes.values(lane);
      float[] q = rounded[lane];
      for (int k = lanes.firstSlot(group); k < lanes.firstSlot(group + 1); k++) {
        float error = x[k] - (q[k] - Rounding.MAGIC - zeros[k]) * scales[k];
        count += Math.abs(error) > scales[k] ? 1 : 0;
      }
    }
    return count;
  }

  private void sumSquares() {
    for (int lane = 0; lane < lanes.count(); lane++) {
      error += takeSum(errors[lane]);
      energy += takeSum(energies[lane]);
    }
    rounds = 0;
  }

  private static double takeSum(float[] squares) {
    double sum = 0;
    for (float square : squares) {
      sum += square;
    }
    Arrays.fill(squares, 0);
    return sum;
  }

  /** {@code Σ (x − x̂)²} of all that was rounded. */
  double error() {
    sumSquares();
    return error;
  }

  /** {@code Σ x²} of all that was rounded. */
  double energy() {
    sumSquares();
    return energy;
  }
}
