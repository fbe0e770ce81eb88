package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

class FloatsTest {

  @Test
  void decodesAStoredTensorLongerThanOneChunk() {
    int rows = 130;
    int columns = 257;
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 251 - 125;
    }
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    FloatCodec.encode(DType.BF16, values, 0, values.length, bytes);
    bytes.flip();
    RawTensor raw = new RawTensor(TensorSpec.of("w", DType.BF16, rows, columns), bytes);
    try (INDArray decoded = Floats.decode(raw)) {
      assertThat(Floats.rows(decoded)).isEqualTo(rows);
      assertThat(Floats.columns(decoded)).isEqualTo(columns);
      assertThat(Floats.toArray(decoded)).isEqualTo(values);
    }
  }

  @Test
  void everyTypeIsReadFromASourceInItsShape() {
    float[] values = {1, -2, 0.5f, 3, 0, -8};
    for (DType type : List.of(DType.F32, DType.BF16, DType.F16, DType.F64)) {
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length * type.bits() / 8).order(ByteOrder.LITTLE_ENDIAN);
      FloatCodec.encode(type, values, 0, values.length, bytes);
      RawTensor raw = new RawTensor(TensorSpec.of("w", type, 3, 2), bytes.flip());
      try (INDArray loaded = Floats.load(raw);
          INDArray decoded = Floats.decode(raw)) {
        assertThat(BFloats.isBf16(loaded)).as(type.name()).isEqualTo(type == DType.BF16);
        assertThat(loaded.shape()).containsExactly(3, 2);
        assertThat(BFloats.isBf16(decoded)).isFalse();
        assertThat(Floats.toArray(decoded)).as(type.name()).isEqualTo(values);
      }
    }
  }

  @Test
  void aSourceThatFailsLeavesItsErrorAndNoMatrix() {
    TensorSource broken =
        new TensorSource() {
          @Override
          public TensorSpec spec() {
            return TensorSpec.of("w", DType.BF16, 256, 512);
          }

          @Override
          public void read(long offset, ByteBuffer into) {
            throw new InputException("the file ends early");
          }
        };
    OffHeap.memory().freeIdle();
    assertThatThrownBy(() -> Floats.load(broken))
        .isInstanceOf(InputException.class)
        .hasMessage("the file ends early");
    assertThat(OffHeap.memory().idleBytes()).isEqualTo(2 * 256 * 512 + OffHeapMatrix.ALIGNMENT);
  }

  /** Also where a larger piece of memory, returned by another, is used again. */
  @Test
  void aMatrixBeginsAtACacheLine() {
    for (int columns : new int[] {1, 3, 1000, 70_001, 70_000, 70_001}) {
      try (INDArray floats = Floats.zeros(1, columns);
          INDArray bfloats = BFloats.rounded(floats)) {
        assertThat(Floats.pointer(floats).address() % OffHeapMatrix.ALIGNMENT).isZero();
        assertThat(BFloats.pointer(bfloats).address() % OffHeapMatrix.ALIGNMENT).isZero();
      }
    }
  }

  @Test
  void rowsAreWrittenAndReadWhereTheyBelong() {
    try (INDArray array = Floats.zeros(3, 2)) {
      Floats.writeRow(array, 1, new float[] {5, 6});
      float[] two = new float[4];
      Floats.readRows(array, 1, 2, two);
      assertThat(two).containsExactly(5, 6, 0, 0);
      try (INDArray copy = Floats.copy(array)) {
        Floats.writeRow(array, 1, new float[] {0, 0});
        assertThat(Floats.toArray(copy)).containsExactly(0, 0, 5, 6, 0, 0);
      }
    }
  }

  @Test
  void viewsAreRefusedBecauseTheirMemoryIsNotContiguous() {
    try (INDArray array = Floats.zeros(3, 4)) {
      assertThatThrownBy(
              () -> Floats.toArray(array.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("whole row-major F32 matrix");
    }
  }

  @Test
  void bytesAreThoseOfTheRowsAskedFor() {
    float[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    try (INDArray floats = Floats.of(values, 3, 3);
        INDArray halves = BFloats.rounded(floats)) {
      ByteBuffer ofFloats = Floats.bytes(floats, 1, 2);
      assertThat(ofFloats.remaining()).isEqualTo(24);
      assertThat(ofFloats.getFloat(4)).isEqualTo(5);
      ByteBuffer ofHalves = Floats.bytes(halves, 1, 1);
      assertThat(ofHalves.remaining()).isEqualTo(6);
      assertThat(BFloats.value(ofHalves.getShort(4))).isEqualTo(6);
    }
  }
}
