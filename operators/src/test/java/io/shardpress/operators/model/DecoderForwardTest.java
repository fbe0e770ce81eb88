package io.shardpress.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class DecoderForwardTest {
  private static final ModelConfig LLAMA = TinyModels.config("llama");

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 2", "64, 3", "65, 4", "150, 5"})
  void agrees_with_plain_loops(int length, long seed) {
    assertAgreesWithPlainLoops(LLAMA, Integer.MAX_VALUE, length, seed);
  }

  @ParameterizedTest
  @CsvSource({"1, 20, 11", "7, 150, 12", "70, 150, 13", "200, 150, 14"})
  void agrees_with_plain_loops_under_a_sliding_window(int window, int length, long seed) {
    ModelConfig config = TinyModels.config("mistral", "\"sliding_window\": " + window);
    assertAgreesWithPlainLoops(config, window, length, seed);
  }

  private static void assertAgreesWithPlainLoops(
      ModelConfig config, int window, int length, long seed) {
    TinyWeights weights = TinyModels.llama(seed);
    long[] ids = ids(2 * length, seed);
    float[] actual = logits(config, weights, ids, length);
    for (int sequence = 0; sequence < 2; sequence++) {
      long[] own = Arrays.copyOfRange(ids, sequence * length, (sequence + 1) * length);
      double[][] expected = new PlainLlama(weights.source(), window).logits(own);
      for (int t = 0; t < length; t++) {
        for (int i = 0; i < TinyModels.VOCABULARY; i++) {
          assertThat((double) actual[(sequence * length + t) * TinyModels.VOCABULARY + i])
              .as("seed %d, sequence %d, token %d, logit %d", seed, sequence, t, i)
              .isCloseTo(expected[t][i], within(2e-5));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"llama, 150, 31", "mistral, 70, 32"})
  void bf16_differs_from_f32_by_its_rounding_only(String family, int length, long seed) {
    TinyWeights weights = TinyModels.llama(seed);
    ModelConfig config = TinyModels.config(family, "\"sliding_window\": 9");
    long[] ids = ids(2 * length, seed);
    Architecture model = TinyModels.architecture(config, weights);
    TensorMap rounded = new TensorMap(weights.tensors(), Precision.BF16);
    float[] exact;
    float[] found;
    try (INDArray x = model.embed(ids, length, weights.source());
        INDArray y = Floats.copy(x)) {
      model.block(0, x, length, weights.source(), InputObserver.NONE);
      model.block(
          0,
          y,
          length,
          rounded,
          (input, seen) -> assertThat(BFloats.isBf16(seen)).as(input).isTrue());
      exact = Floats.toArray(x);
      found = Floats.toArray(y);
    }
    double error = 0;
    double energy = 0;
    for (int i = 0; i < exact.length; i++) {
      error += Math.pow(found[i] - exact[i], 2);
      energy += Math.pow(exact[i], 2);
    }
    assertThat(Math.sqrt(error / energy)).as("seed %d", seed).isBetween(1e-5, 0x1p-6);
    assertThat(rounded.open()).as("matrices left open").isZero();
  }

  @Test
  void a_later_token_does_not_change_earlier_outputs() {
    int length = 100;
    TinyWeights weights = TinyModels.llama(21);
    long[] ids = ids(length, 21);
    float[] before = logits(LLAMA, weights, ids, length);
    int changed = 70;
    ids[changed] = (ids[changed] + 1) % TinyModels.VOCABULARY;
    float[] after = logits(LLAMA, weights, ids, length);
    int border = changed * TinyModels.VOCABULARY;
    assertThat(Arrays.copyOf(after, border)).isEqualTo(Arrays.copyOf(before, border));
    assertThat(Arrays.copyOfRange(after, border, after.length))
        .isNotEqualTo(Arrays.copyOfRange(before, border, before.length));
  }

  @Test
  void a_sliding_window_reaches_exactly_its_length_back() {
    int window = 9;
    int length = 30;
    TinyWeights weights = TinyModels.llama(22);
    Architecture model =
        TinyModels.architecture(TinyModels.config("mistral", "\"sliding_window\": 9"), weights);
    long[] ids = ids(length, 22);
    float[] before = firstBlock(model, weights, ids);
    ids[4] = (ids[4] + 1) % TinyModels.VOCABULARY;
    float[] after = firstBlock(model, weights, ids);
    int width = TinyModels.HIDDEN;
    for (int t = 0; t < length; t++) {
      boolean sees = t >= 4 && t < 4 + window;
      boolean same =
          Arrays.equals(before, t * width, (t + 1) * width, after, t * width, (t + 1) * width);
      assertThat(same).as("token %d unchanged", t).isEqualTo(!sees);
    }
  }

  @Test
  void closes_all_weights_that_it_opens() {
    TinyWeights weights = TinyModels.llama(23);
    TensorMap source = weights.source();
    Architecture model = TinyModels.architecture(LLAMA, weights);
    try (INDArray x = model.embed(ids(8, 23), 4, source)) {
      model.block(1, x, 4, source, InputObserver.NONE);
      assertThat(source.open()).isZero();
      LogitHead head = model.head(source);
      head.logits(x).close();
      assertThat(source.open()).isOne();
      head.close();
    }
    assertThat(source.open()).isZero();
  }

  @Test
  void the_head_is_the_final_norm_and_the_weight() {
    TinyWeights weights = TinyModels.llama(24);
    Architecture model = TinyModels.architecture(LLAMA, weights);
    TensorMap source = weights.source();
    try (INDArray x = model.embed(ids(3, 24), 3, source);
        INDArray normed = model.finalNorm(x, source);
        LogitHead head = model.head(source);
        INDArray logits = head.logits(x);
        INDArray weight = source.matrix("lm_head.weight")) {
      float[] row = new float[TinyModels.HIDDEN];
      float[] column = new float[TinyModels.HIDDEN];
      Floats.readRow(normed, 2, row);
      Floats.readRow(weight, 7, column);
      float expected = 0;
      for (int i = 0; i < row.length; i++) {
        expected += row[i] * column[i];
      }
      float[] actual = new float[TinyModels.VOCABULARY];
      Floats.readRow(logits, 2, actual);
      assertThat(actual[7]).isCloseTo(expected, within(1e-5f));
    }
  }

  @Test
  void refuses_ids_outside_the_vocabulary() {
    TinyWeights weights = TinyModels.llama(25);
    Architecture model = TinyModels.architecture(LLAMA, weights);
    assertThatThrownBy(() -> model.embed(new long[] {1, 50}, 2, weights.source()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Token id 50 at index 1 is outside the model's vocabulary of 50");
  }

  @Test
  void refuses_broken_sequences() {
    TinyWeights weights = TinyModels.llama(26);
    Architecture model = TinyModels.architecture(LLAMA, weights);
    assertThatThrownBy(() -> model.embed(new long[7], 3, weights.source()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("7 tokens are not a whole number of sequences of 3 tokens");
  }

  @Test
  void refuses_weights_of_another_shape() {
    TinyWeights weights =
        TinyModels.llama(27).matrix(TinyModels.layer(0, "mlp.up_proj.weight"), 41, 24);
    Architecture model = TinyModels.architecture(LLAMA, weights);
    TensorMap source = weights.source();
    try (INDArray x = model.embed(new long[4], 4, source)) {
      assertThatThrownBy(() -> model.block(0, x, 4, source, InputObserver.NONE))
          .isInstanceOf(InputException.class)
          .hasMessageContaining(
              "model.layers.0.mlp.up_proj.weight is [41, 24], but config.json describes [40, 24]");
    }
  }

  @Test
  void refuses_a_head_that_does_not_fit_the_vocabulary() {
    TinyWeights weights = TinyModels.llama(28).matrix("lm_head.weight", 64, 24);
    Architecture model = TinyModels.architecture(LLAMA, weights);
    TensorMap source = weights.source();
    assertThatThrownBy(() -> model.head(source))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(
            "lm_head.weight has 64 rows, but config.json gives a vocabulary of 50");
    assertThat(source.open()).isZero();
  }

  private static float[] logits(ModelConfig config, TinyWeights weights, long[] ids, int length) {
    Architecture model = TinyModels.architecture(config, weights);
    TensorMap source = weights.source();
    try (INDArray x = model.embed(ids, length, source)) {
      for (int block = 0; block < model.blocks(); block++) {
        model.block(block, x, length, source, InputObserver.NONE);
      }
      try (LogitHead head = model.head(source);
          INDArray logits = head.logits(x)) {
        return Floats.toArray(logits);
      }
    }
  }

  private static float[] firstBlock(Architecture model, TinyWeights weights, long[] ids) {
    TensorMap source = weights.source();
    try (INDArray x = model.embed(ids, ids.length, source)) {
      model.block(0, x, ids.length, source, InputObserver.NONE);
      return Floats.toArray(x);
    }
  }

  private static long[] ids(int count, long seed) {
    return new Random(seed).longs(count, 0, TinyModels.VOCABULARY).toArray();
  }
}
