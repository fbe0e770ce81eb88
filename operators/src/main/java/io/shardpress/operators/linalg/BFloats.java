package io.shardpress.operators.linalg;

import static io.shardpress.operators.linalg.Floats.columns;
import static io.shardpress.operators.linalg.Floats.rows;

import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes and converts BF16 matrices {@code [rows, columns]} in off-heap memory: half the bytes of
 * F32, the same range, eight bits of precision. They are operands of products, which sum in F32.
 */
public final class BFloats {
  private static final int MANTISSA_BITS_DROPPED = 16;

  private BFloats() {}

  /** A new matrix with undefined content; the caller fills and closes it. */
  public static INDArray uninitialized(long rows, long columns) {
    return OffHeapMatrix.of(DataType.BFLOAT16, rows, columns);
  }

  /** Whether {@code array} holds BF16. */
  public static boolean isBf16(INDArray array) {
    return array.dataType() == DataType.BFLOAT16;
  }

  /** A new BF16 matrix with the values of an F32 one, rounded half to even; the caller closes. */
  public static INDArray rounded(INDArray floats) {
    INDArray result = uninitialized(rows(floats), columns(floats));
    round(floats, result);
    return result;
  }

  /** Rounds an F32 matrix into a BF16 one of the same shape. */
  public static void round(INDArray floats, INDArray into) {
    round(Block.all(floats), Block.all(into));
  }

  /** Rounds a block of F32 into a block of BF16 of the same shape. */
  public static void round(Block floats, Block into) {
    require(!isBf16(floats.matrix()) && isBf16(into.matrix()), floats, into);
    if (!floats.isEmpty()) {
      Kernels.chosen().round(floats, into);
    }
  }

  /** A new F32 matrix with exactly the values of a BF16 one; the caller closes it. */
  public static INDArray widened(INDArray bfloats) {
    INDArray result = Floats.uninitialized(rows(bfloats), columns(bfloats));
    widen(Block.all(bfloats), Block.all(result));
    return result;
  }

  /** Widens a block of BF16 into a block of F32 of the same shape. */
  public static void widen(Block bfloats, Block into) {
    require(isBf16(bfloats.matrix()) && !isBf16(into.matrix()), bfloats, into);
    if (!bfloats.isEmpty()) {
      Kernels.chosen().widen(bfloats, into);
    }
  }

  /** Kernels read and write as many bytes as the types of their operands ask for. */
  private static void require(boolean types, Block from, Block to) {
    if (!types || from.rows() != to.rows() || from.columns() != to.columns()) {
      throw new IllegalArgumentException(
          "%s [%d, %d] to %s [%d, %d] is not this conversion"
              .formatted(
                  from.type(), from.rows(), from.columns(), to.type(), to.rows(), to.columns()));
    }
  }

  /** Copies the bits of {@code count} rows to the start of {@code into}. */
  static void readRows(INDArray array, long firstRow, int count, short[] into) {
    int columns = columns(array);
    pointer(array).position(firstRow * columns).get(into, 0, count * columns);
  }

  /** Sets {@code [from, to)} of every row to zero. */
  static void clearColumns(INDArray array, int from, int to) {
    short[] zeros = new short[to - from];
    ShortPointer target = pointer(array);
    for (long i = 0; i < rows(array); i++) {
      target.position(i * columns(array) + from).put(zeros, 0, zeros.length);
    }
  }

  /** The values of a block, row-major, at the start of {@code into}. */
  static void readBlock(
      INDArray array, long firstRow, int rows, int firstColumn, int columns, float[] into) {
    short[] bits = new short[columns];
    try (ShortPointer source = pointer(array)) {
      for (int i = 0; i < rows; i++) {
        long at = (firstRow + i) * columns(array) + firstColumn;
        source.position(at).get(bits, 0, columns);
        for (int j = 0; j < columns; j++) {
          into[i * columns + j] = value(bits[j]);
        }
      }
    }
  }

  /** The value of BF16 bits. */
  public static float value(short bits) {
    return Float.intBitsToFloat(bits << MANTISSA_BITS_DROPPED);
  }

  /** The bits of the BF16 value nearest to {@code value}, half to even; NaN stays NaN. */
  static short nearest(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> MANTISSA_BITS_DROPPED) | 0x40);
    }
    int odd = (bits >>> MANTISSA_BITS_DROPPED) & 1;
    return (short) ((bits + 0x7fff + odd) >>> MANTISSA_BITS_DROPPED);
  }

  /** A fresh pointer to the first element; valid while the array is open and reachable. */
  static ShortPointer pointer(INDArray array) {
    Floats.requireWhole(array, DataType.BFLOAT16);
    return new ShortPointer(array.data().pointer());
  }
}
