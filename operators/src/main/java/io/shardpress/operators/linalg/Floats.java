package io.shardpress.operators.linalg;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes, fills and reads F32 matrices {@code [rows, columns]} in off-heap memory. Row transfers are
 * bulk copies: element loops belong on the {@code float[]} side, where the JIT vectorizes them.
 */
public final class Floats {
  /** Elements decoded at a time: small enough for the cache, large enough to amortize the calls. */
  private static final int DECODE_ELEMENTS = 1 << 20;

  /** Rows transposed together: their strips fill whole cache lines of the result. */
  private static final int TRANSPOSE_ROWS = 64;

  private Floats() {}

  /** A new matrix of zeros; the caller closes it. */
  public static INDArray zeros(long rows, long columns) {
    INDArray array = uninitialized(rows, columns);
    if (array.length() > 0) {
      Pointer.memset(pointer(array), 0, array.length() * Float.BYTES);
    }
    return array;
  }

  /** A new matrix with undefined content; the caller fills and closes it. */
  public static INDArray uninitialized(long rows, long columns) {
    return OffHeapMatrix.of(DataType.FLOAT, rows, columns);
  }

  /** A new matrix holding a copy of {@code rowMajor}; the caller closes it. */
  public static INDArray of(float[] rowMajor, long rows, long columns) {
    if (rowMajor.length != rows * columns) {
      throw new IllegalArgumentException(
          "%d values do not fill [%d, %d]".formatted(rowMajor.length, rows, columns));
    }
    INDArray array = uninitialized(rows, columns);
    pointer(array).put(rowMajor, 0, rowMajor.length);
    return array;
  }

  /** The first elements of an F32 or BF16 matrix as another one, to be used while that is open. */
  public static INDArray view(INDArray whole, long rows, long columns) {
    return OffHeapMatrix.view(whole, rows, columns);
  }

  /** A new {@code [1, n]} matrix; the caller closes it. */
  public static INDArray vector(float... values) {
    return of(values, 1, values.length);
  }

  /** An independent copy; the caller closes it. */
  public static INDArray copy(INDArray array) {
    INDArray copy = uninitialized(rows(array), columns(array));
    pointer(copy).put(pointer(array).limit(array.length()));
    return copy;
  }

  /**
   * Decodes a stored tensor (F32, F16, BF16, F64) to F32: {@code [rows, columns]} for two
   * dimensions, {@code [1, n]} for one; more dimensions are flattened behind the first. The caller
   * closes it.
   */
  public static INDArray decode(TensorSource tensor) {
    return switch (tensor.spec().dtype()) {
      case F32 -> OffHeapMatrix.read(tensor);
      case BF16 -> {
        try (INDArray stored = OffHeapMatrix.read(tensor)) {
          yield BFloats.widened(stored);
        }
      }
      default -> convert(tensor);
    };
  }

  private static INDArray convert(TensorSource tensor) {
    DType type = tensor.spec().dtype();
    long elements = tensor.spec().elements();
    INDArray array = OffHeapMatrix.of(DataType.FLOAT, tensor.spec());
    FloatPointer target = pointer(array);
    float[] chunk = new float[(int) Math.min(DECODE_ELEMENTS, elements)];
    int width = type.bits() / Byte.SIZE;
    ByteBuffer bytes = ByteBuffer.allocate(chunk.length * width);
    for (long done = 0; done < elements; done += chunk.length) {
      int count = (int) Math.min(chunk.length, elements - done);
      tensor.read(done * width, bytes.clear().limit(count * width));
      FloatCodec.decode(type, bytes.flip(), chunk, 0, count);
      target.position(done).put(chunk, 0, count);
    }
    return array;
  }

  /** A stored tensor as products take it: BF16 as it is, the others decoded to F32. */
  public static INDArray load(TensorSource tensor) {
    return tensor.spec().dtype() == DType.BF16 ? OffHeapMatrix.read(tensor) : decode(tensor);
  }

  /** A new matrix {@code [columns, rows]}; the caller closes it. */
  public static INDArray transpose(INDArray array) {
    int rows = rows(array);
    int columns = columns(array);
    INDArray result = uninitialized(columns, rows);
    float[] from = new float[Math.min(TRANSPOSE_ROWS, rows) * columns];
    FloatPointer target = pointer(result);
    float[] strip = new float[TRANSPOSE_ROWS];
    for (int first = 0; first < rows; first += TRANSPOSE_ROWS) {
      int count = Math.min(TRANSPOSE_ROWS, rows - first);
      readRows(array, first, count, from);
      for (int j = 0; j < columns; j++) {
        for (int i = 0; i < count; i++) {
          strip[i] = from[i * columns + j];
        }
        target.position((long) j * rows + first).put(strip, 0, count);
      }
    }
    return result;
  }

  public static int rows(INDArray array) {
    return Math.toIntExact(array.size(0));
  }

  public static int columns(INDArray array) {
    return Math.toIntExact(array.size(1));
  }

  public static void readRow(INDArray array, long row, float[] into) {
    readRows(array, row, 1, into);
  }

  public static void writeRow(INDArray array, long row, float[] from) {
    writeRows(array, row, 1, from);
  }

  /** Copies {@code count} rows, of F32 or BF16, to the start of {@code into}. */
  public static void readRows(INDArray array, long firstRow, int count, float[] into) {
    int columns = columns(array);
    if (BFloats.isBf16(array)) {
      BFloats.readBlock(array, firstRow, count, 0, columns, into);
    } else {
      pointer(array).position(firstRow * columns).get(into, 0, count * columns);
    }
  }

  /**
   * The stored bytes of {@code count} rows, of F32 or BF16, little-endian: a view that is valid
   * while the array is open and reachable.
   */
  public static ByteBuffer bytes(INDArray array, long firstRow, int count) {
    DataType type = array.dataType() == DataType.BFLOAT16 ? DataType.BFLOAT16 : DataType.FLOAT;
    requireWhole(array, type);
    long rowBytes = (long) columns(array) * type.width();
    return new BytePointer(array.data().pointer())
        .getPointer(BytePointer.class, firstRow * rowBytes)
        .limit(count * rowBytes)
        .asByteBuffer()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Copies {@code count} rows from the start of {@code from}. */
  public static void writeRows(INDArray array, long firstRow, int count, float[] from) {
    int columns = columns(array);
    pointer(array).position(firstRow * columns).put(from, 0, count * columns);
  }

  /**
   * Copies the block {@code [firstRow.., firstColumn..]}, of F32 or BF16, row-major to the start of
   * {@code into}.
   */
  public static void readBlock(
      INDArray array, long firstRow, int rows, int firstColumn, int columns, float[] into) {
    int stride = columns(array);
    if (firstColumn < 0 || firstColumn + columns > stride) {
      throw new IndexOutOfBoundsException(
          "Columns %d to %d of a matrix with %d columns"
              .formatted(firstColumn, firstColumn + columns, stride));
    }
    if (BFloats.isBf16(array)) {
      BFloats.readBlock(array, firstRow, rows, firstColumn, columns, into);
      return;
    }
    try (FloatPointer source = pointer(array)) {
      for (int i = 0; i < rows; i++) {
        source.position((firstRow + i) * stride + firstColumn).get(into, i * columns, columns);
      }
    }
  }

  /** Copies row-major {@code from} over the block {@code [firstRow.., firstColumn..]}. */
  public static void writeBlock(
      INDArray array, int firstRow, int rows, int firstColumn, int columns, float[] from) {
    write(from, new Block(array, firstRow, rows, firstColumn, columns));
  }

  /** Copies a block of F32 or BF16 row-major to the start of {@code into}. */
  static void read(Block block, float[] into) {
    readBlock(
        block.matrix(), block.firstRow(), block.rows(), block.firstColumn(), block.columns(), into);
  }

  /** Copies row-major {@code from} over a block. */
  static void write(float[] from, Block block) {
    FloatPointer target = (FloatPointer) block.pointer();
    for (int i = 0; i < block.rows(); i++) {
      target.position((long) i * block.stride()).put(from, i * block.columns(), block.columns());
    }
  }

  /** All elements, row-major; for small arrays. */
  public static float[] toArray(INDArray array) {
    float[] values = new float[Math.toIntExact(array.length())];
    pointer(array).get(values, 0, values.length);
    return values;
  }

  /** A fresh pointer to the first element; valid while the array is open and reachable. */
  static FloatPointer pointer(INDArray array) {
    requireWhole(array, DataType.FLOAT);
    return new FloatPointer(array.data().pointer());
  }

  static void requireWhole(INDArray array, DataType type) {
    if (array.dataType() != type
        || array.ordering() != 'c'
        || array.isView()
        || array.rank() != 2) {
      throw new IllegalArgumentException(
          "Expected a whole row-major %s matrix, got %s %s, order '%s'%s"
              .formatted(
                  type == DataType.FLOAT ? "F32" : "BF16",
                  array.dataType(),
                  array.shapeInfoToString(),
                  array.ordering(),
                  array.isView() ? ", a view" : ""));
    }
  }
}
