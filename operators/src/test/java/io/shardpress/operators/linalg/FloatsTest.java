package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
