package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.linalg.Floats;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A quantized linear {@code [out, in]} before encoding: the integers themselves, so that no writer
 * has to quantize again. Arrays are not copied; treat them as read-only.
 *
 * @param codes {@code [out, in]} row-major, within the grid
 * @param scales {@code [out, groups]} row-major, positive, finite and exact in the type they are
 *     stored in
 * @param zeroPoints {@code [out, groups]} within the grid; empty when symmetric
 * @param groupOfColumn {@code [in]} the group of each column, columns as stored
 */
@SuppressWarnings("ArrayRecordComponent") // bulk numbers: compared by tests, never by equals
public record QuantizedWeight(
    Scheme scheme,
    int out,
    int in,
    byte[] codes,
    float[] scales,
    byte[] zeroPoints,
    int[] groupOfColumn)
    implements CompressedWeight {

  public QuantizedWeight {
    int groups = scheme.groupSize().groups(in);
    require(codes.length == Math.multiplyExact(out, in), "codes", codes.length);
    require(scales.length == out * groups, "scales", scales.length);
    int zeroPointCount = scheme.grid().symmetric() ? 0 : out * groups;
    require(zeroPoints.length == zeroPointCount, "zero points", zeroPoints.length);
    require(groupOfColumn.length == in, "columns with a group", groupOfColumn.length);
  }

  private void require(boolean fits, String what, int count) {
    if (!fits) {
      throw new IllegalArgumentException(
          "%d %s do not fit [%d, %d] with group size %s"
              .formatted(count, what, out, in, scheme.groupSize()));
    }
  }

  /** The type that scales of a weight of this type are stored in: its own, or else F16. */
  public static DType scaleType(DType weightType) {
    return weightType.isWeightFloat() ? weightType : DType.F16;
  }

  /** Groups per row. */
  public int groups() {
    return scheme.groupSize().groups(in);
  }

  @Override
  public Storage storage() {
    return scheme;
  }

  @Override
  public long zeros() {
    long zeros = 0;
    if (scheme.grid().symmetric()) {
      for (byte code : codes) {
        zeros += code == 0 ? 1 : 0;
      }
      return zeros;
    }
    int groups = groups();
    for (int row = 0; row < out; row++) {
      for (int j = 0; j < in; j++) {
        zeros += codes[row * in + j] == zeroPoints[row * groups + groupOfColumn[j]] ? 1 : 0;
      }
    }
    return zeros;
  }

  /** Writes {@code (code − zero point) · scale} of one row to the start of {@code into}. */
  @Override
  public void readRow(int row, float[] into) {
    int groups = groups();
    if (scheme.order() == ColumnOrder.GROUP) {
      for (int j = 0; j < in; j++) {
        int group = row * groups + groupOfColumn[j];
        into[j] = (codes[row * in + j] - zeroPoint(group)) * scales[group];
      }
      return;
    }
    int columns = scheme.groupSize().in(in);
    for (int g = 0; g < groups; g++) {
      int group = row * groups + g;
      dequantize(
          codes, row * in, g * columns, (g + 1) * columns, zeroPoint(group), scales[group], into);
    }
  }

  private int zeroPoint(int group) {
    return scheme.grid().symmetric() ? 0 : zeroPoints[group];
  }

  /** A float with its integer in the low bits: less work for the JIT than a conversion. */
  private static void dequantize(
      byte[] codes, int row, int from, int to, int zeroPoint, float scale, float[] into) {
    float zero = Rounding.MAGIC + zeroPoint;
    int bits = Float.floatToRawIntBits(Rounding.MAGIC);
    for (int j = from; j < to; j++) {
      into[j] = (Float.intBitsToFloat(bits + codes[row + j]) - zero) * scale;
    }
  }

  /** The whole matrix as F32 {@code [out, in]}; the caller closes it. */
  @Override
  public INDArray matrix() {
    INDArray result = Floats.uninitialized(out, in);
    float[] row = new float[in];
    for (int i = 0; i < out; i++) {
      readRow(i, row);
      Floats.writeRow(result, i, row);
    }
    return result;
  }

  /** Puts slices of rows on top of one another, in order. */
  static QuantizedWeight stack(List<QuantizedWeight> slices) {
    QuantizedWeight first = slices.get(0);
    int out = slices.stream().mapToInt(QuantizedWeight::out).reduce(0, Math::addExact);
    Assembly whole = new Assembly(first.scheme, out, first.in, first.groupOfColumn);
    int row = 0;
    for (QuantizedWeight slice : slices) {
      int groupsBefore = row * first.groups();
      System.arraycopy(slice.codes, 0, whole.codes, row * first.in, slice.codes.length);
      System.arraycopy(slice.scales, 0, whole.scales, groupsBefore, slice.scales.length);
      if (slice.zeroPoints.length > 0) {
        System.arraycopy(
            slice.zeroPoints, 0, whole.zeroPoints, groupsBefore, slice.zeroPoints.length);
      }
      row += slice.out;
    }
    return whole.finish();
  }

  /** A weight while it is being filled in. */
  static final class Assembly {
    final Scheme scheme;
    final int out;
    final int in;
    final int groups;
    final byte[] codes;
    final float[] scales;
    final byte[] zeroPoints;
    final int[] groupOfColumn;

    Assembly(Scheme scheme, int out, int in, int[] groupOfColumn) {
      this.scheme = scheme;
      this.out = out;
      this.in = in;
      this.groups = scheme.groupSize().groups(in);
      this.codes = new byte[Math.multiplyExact(out, in)];
      this.scales = new float[out * groups];
      this.zeroPoints = new byte[scheme.grid().symmetric() ? 0 : out * groups];
      this.groupOfColumn = groupOfColumn;
    }

    /** Takes a row of another attempt at the same weight. */
    void copyRow(int row, Assembly other) {
      System.arraycopy(other.codes, row * in, codes, row * in, in);
      System.arraycopy(other.scales, row * groups, scales, row * groups, groups);
      if (zeroPoints.length > 0) {
        System.arraycopy(other.zeroPoints, row * groups, zeroPoints, row * groups, groups);
      }
    }

    void put(int row, int group, GroupRange range) {
      scales[row * groups + group] = range.scale();
      if (zeroPoints.length > 0) {
        zeroPoints[row * groups + group] = (byte) range.zeroPoint();
      }
    }

    /** Whether every value that a code may stand for is finite in the type it is read back in. */
    boolean valuesFit(DType type) {
      Grid grid = scheme.grid();
      float reach = grid.symmetric() ? -grid.lowest() : grid.highest() - grid.lowest();
      for (float scale : scales) {
        if (!Float.isFinite(FloatCodec.roundTo(type, scale * reach))) {
          return false;
        }
      }
      return true;
    }

    QuantizedWeight finish() {
      return new QuantizedWeight(scheme, out, in, codes, scales, zeroPoints, groupOfColumn);
    }
  }

  /** Group of each column when groups are neighbouring columns. */
  public static int[] neighbours(GroupSize groupSize, int in) {
    int columns = groupSize.in(in);
    int[] groups = new int[in];
    for (int j = 0; j < in; j++) {
      groups[j] = j / columns;
    }
    return groups;
  }
}
