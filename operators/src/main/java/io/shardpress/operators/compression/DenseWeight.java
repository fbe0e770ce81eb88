package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.LongAdder;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A weight {@code [out, in]} as numbers of its own type, rounded to it already. Arrays are not
 * copied; treat them as read-only.
 *
 * @param type F32, F16 or BF16
 * @param data row-major, little-endian
 */
@SuppressWarnings("ArrayRecordComponent") // bulk numbers: compared by tests, never by equals
public record DenseWeight(DType type, int out, int in, byte[] data) implements CompressedWeight {
  /** Rows that a thread works on at a time. */
  private static final int PART = 64;

  public DenseWeight {
    if (data.length != size(type, out, in)) {
      throw new IllegalArgumentException(
          "%d bytes do not make [%d, %d] of %s".formatted(data.length, out, in, type));
    }
  }

  /** All zeros, to be filled by {@link #writeRow}. */
  static DenseWeight zeros(DType type, int out, int in) {
    return new DenseWeight(type, out, in, new byte[size(type, out, in)]);
  }

  /** A stored matrix, copied unless it is backed by an array of just its bytes. */
  public static DenseWeight of(RawTensor tensor) {
    ByteBuffer bytes = tensor.data();
    byte[] data;
    if (bytes.hasArray() && bytes.arrayOffset() == 0 && bytes.array().length == bytes.remaining()) {
      data = bytes.array();
    } else {
      data = new byte[bytes.remaining()];
      bytes.get(data);
    }
    return new DenseWeight(
        tensor.spec().dtype(),
        Math.toIntExact(tensor.spec().shape().get(0)),
        Math.toIntExact(tensor.spec().shape().get(1)),
        data);
  }

  /** F32 or BF16 {@code matrix} rounded to {@code type}; borrowed. */
  public static DenseWeight of(INDArray matrix, DType type) {
    DenseWeight result = zeros(type, Floats.rows(matrix), Floats.columns(matrix));
    Workers.forEach(
        result.parts(),
        part -> {
          float[] row = new float[result.in];
          for (int i = part * PART; i < Math.min(result.out, (part + 1) * PART); i++) {
            Floats.readRow(matrix, i, row);
            result.writeRow(i, row);
          }
        });
    return result;
  }

  private static int size(DType type, long out, long in) {
    return Math.toIntExact(out * in * type.bits() / Byte.SIZE);
  }

  private int parts() {
    return (out + PART - 1) / PART;
  }

  @Override
  public Storage storage() {
    return Storage.PLAIN;
  }

  @Override
  public void readRow(int row, float[] into) {
    FloatCodec.decode(type, row(row), into, 0, in);
  }

  /** Rounds a row to the type; only while the weight is being made. */
  void writeRow(int row, float[] values) {
    FloatCodec.encode(type, values, 0, in, row(row));
  }

  /**
   * Takes over a row of 16-bit numbers as they are, where {@code mask} is 1, and zeros where it is
   * 0.
   */
  void writeRow(int row, ByteBuffer halves, float[] mask) {
    short[] values = new short[in];
    halves.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(values);
    for (int j = 0; j < values.length; j++) {
      values[j] = (short) (values[j] & -(int) mask[j]);
    }
    row(row).asShortBuffer().put(values);
  }

  private ByteBuffer row(int row) {
    int bytes = size(type, 1, in);
    return ByteBuffer.wrap(data, row * bytes, bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public long zeros() {
    LongAdder zeros = new LongAdder();
    Workers.forEach(parts(), part -> zeros.add(zeros(part)));
    return zeros.sum();
  }

  /** Of 16-bit numbers by their bits: converting them would take most of the time. */
  private long zeros(int part) {
    int first = part * PART;
    int elements = Math.min(PART, out - first) * in;
    long count = 0;
    if (type == DType.F32) {
      float[] row = new float[in];
      for (int i = first; i < first + elements / in; i++) {
        readRow(i, row);
        for (float value : row) {
          count += value == 0 ? 1 : 0;
        }
      }
      return count;
    }
    short[] halves = new short[elements];
    ByteBuffer.wrap(data, first * in * Short.BYTES, elements * Short.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asShortBuffer()
        .get(halves);
    return zeros(halves);
  }

  private static int zeros(short[] halves) {
    int count = 0;
    for (short half : halves) {
      count += (half & Short.MAX_VALUE) == 0 ? 1 : 0;
    }
    return count;
  }

  /** The bytes as a tensor of some name, not copied. */
  public RawTensor tensor(String name) {
    return new RawTensor(
        TensorSpec.of(name, type, out, in), ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN));
  }

  @Override
  public INDArray matrix() {
    return Floats.load(tensor("weight"));
  }
}
