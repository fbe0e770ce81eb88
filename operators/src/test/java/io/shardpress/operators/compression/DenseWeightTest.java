package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class DenseWeightTest {
  private static final long SEED = 5;

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16", "BF16"})
  void roundsOnceAndComesBackExactly(DType type) {
    int out = 131;
    int in = 13;
    try (INDArray matrix = Layers.gaussian(SEED, out, in)) {
      Floats.writeBlock(matrix, 7, 1, 3, 2, new float[] {0, 0});
      float[] values = Floats.toArray(matrix);
      DenseWeight weight = DenseWeight.of(matrix, type);
      float[] row = new float[in];
      for (int i = 0; i < out; i++) {
        weight.readRow(i, row);
        for (int j = 0; j < in; j++) {
          assertThat(row[j])
              .as("seed %d: row %d, column %d", SEED, i, j)
              .isEqualTo(FloatCodec.roundTo(type, values[i * in + j]));
        }
      }
      assertThat(weight.zeros()).isEqualTo(2);
      assertThat(weight.storage()).isEqualTo(Storage.PLAIN);
      try (INDArray again = weight.matrix()) {
        assertThat(BFloats.isBf16(again)).isEqualTo(type == DType.BF16);
        assertThat(DenseWeight.of(again, type).data()).isEqualTo(weight.data());
      }
      assertThat(DenseWeight.of(weight.tensor("m.weight"))).isEqualTo(weight);
      assertThat(weight.tensor("m.weight").spec().shape()).containsExactly((long) out, (long) in);
    }
  }

  @Test
  void aTensorInTheMiddleOfABufferIsCopied() {
    ByteBuffer bytes = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 6; i++) {
      bytes.putFloat(i);
    }
    ByteBuffer middle = bytes.position(8).limit(16).slice().order(ByteOrder.LITTLE_ENDIAN);
    DenseWeight weight =
        DenseWeight.of(
            new io.shardpress.common.tensor.RawTensor(
                io.shardpress.common.tensor.TensorSpec.of("m.weight", DType.F32, 1, 2), middle));
    float[] row = new float[2];
    weight.readRow(0, row);
    assertThat(row).containsExactly(2, 3);
  }

  @Test
  void bytesThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> new DenseWeight(DType.F16, 2, 3, new byte[11]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("11 bytes do not make [2, 3] of F16");
  }
}
