package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RowLoopsTest {
  private static final int BEFORE = 3;

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 6, 8, 13, 25, 64, 207, 255, 256, 257, 702, 1025})
  void softmax_sums_to_one_and_keeps_ratios(int count) {
    float[] logits = random(count, 5);
    float[] a = padded(logits);
    RowLoops.softmax(a, BEFORE, count);
    double total = 0;
    for (float logit : logits) {
      total += Math.exp(logit);
    }
    for (int i = 0; i < count; i++) {
      double expected = Math.exp(logits[i]) / total;
      assertThat((double) a[BEFORE + i]).isCloseTo(expected, within(1e-6 * expected + 1e-12));
    }
    assertPaddingUntouched(a);
  }

  @Test
  void softmax_of_far_apart_logits_is_a_choice() {
    float[] a = {-1e4f, 3e4f, 0};
    RowLoops.softmax(a, 0, 3);
    assertThat(a[0]).isLessThan(1e-37f);
    assertThat(a[1]).isEqualTo(1f);
    assertThat(a[2]).isLessThan(1e-37f);
  }

  @Test
  void softmax_does_not_hide_nan() {
    float[] a = {0, Float.NaN, 1};
    RowLoops.softmax(a, 0, 3);
    assertThat(a).containsOnly(Float.NaN);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 256, 300, 1023})
  void silu_is_x_times_sigmoid(int count) {
    check(count, RowLoops::silu, x -> x / (1 + Math.exp(-x)));
  }

  @Test
  void quick_gelu_is_x_times_sigmoid_of_1_702_x() {
    check(500, RowLoops::quickGelu, x -> x / (1 + Math.exp(-1.702 * x)));
  }

  @Test
  void gelu_tanh_is_the_tanh_formula() {
    check(
        500,
        RowLoops::geluTanh,
        x -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))));
  }

  /** Values of the normal distribution function from tables. */
  @ParameterizedTest
  @CsvSource({
    "0, 0.5",
    "0.1, 0.5398278372770290",
    "0.5, 0.6914624612740131",
    "1, 0.8413447460685429",
    "2, 0.9772498680518208",
    "3, 0.9986501019683699",
    "6, 0.9999999990134124"
  })
  void gelu_is_x_times_the_normal_distribution(float x, double probability) {
    float[] a = {x, -x};
    RowLoops.gelu(a, 0, 2);
    assertThat((double) a[0]).isCloseTo(x * probability, within(3e-7 * Math.max(1, x)));
    assertThat((double) a[1]).isCloseTo(-x * (1 - probability), within(3e-7));
  }

  @Test
  void activations_survive_extreme_values() {
    float[] a = {-1e4f, 1e4f, Float.NaN};
    RowLoops.silu(a, 0, 3);
    assertThat(a[0]).isCloseTo(0f, within(1e-30f));
    assertThat(a[1]).isEqualTo(1e4f);
    assertThat(a[2]).isNaN();
    float[] b = {-1e4f, 1e4f, Float.NaN};
    RowLoops.gelu(b, 0, 3);
    assertThat(b[0]).isCloseTo(0f, within(1e-30f));
    assertThat(b[1]).isEqualTo(1e4f);
    assertThat(b[2]).isNaN();
  }

  @Test
  void relu_keeps_what_is_positive() {
    float[] a = {9, -1, 2, 9};
    RowLoops.relu(a, 1, 2);
    assertThat(a).containsExactly(9, 0, 2, 9);
  }

  @Test
  void soft_cap_bends_towards_the_cap_and_keeps_small_values() {
    float[] a = {1e-4f, 10, -1e9f, 12.6f};
    RowLoops.softCap(a, 0, 4, 50);
    assertThat(a[0]).isCloseTo(1e-4f, within(1e-10f));
    assertThat((double) a[1]).isCloseTo(50 * Math.tanh(0.2), within(1e-5));
    assertThat(a[2]).isEqualTo(-50f);
    assertThat((double) a[3]).isCloseTo(50 * Math.tanh(0.252), within(1e-5));
  }

  @Test
  void rms_norm_by_hand() {
    // mean(x²) = (9 + 16 + 0 + 0) / 4 = 6.25, its root 2.5
    float[] a = {7, 3, 4, 0, 0, 7};
    RowLoops.rmsNorm(a, 1, new float[] {1, 2, 1, 1}, 0);
    assertThat(a[1]).isCloseTo(1.2f, within(1e-6f));
    assertThat(a[2]).isCloseTo(3.2f, within(1e-6f));
    assertThat(a).startsWith(7).endsWith(0, 0, 7);
  }

  @Test
  void layer_norm_by_hand() {
    // mean 3, variance 4
    float[] a = {1, 5, 1, 5};
    RowLoops.layerNorm(a, 0, new float[] {1, 1, 2, 2}, new float[] {0, 1, 0, 1}, 0);
    assertThat(a).containsExactly(-1, 2, -2, 3);
  }

  @Test
  void epsilon_keeps_norms_of_zeros_finite() {
    float[] a = new float[4];
    RowLoops.rmsNorm(a, 0, new float[] {1, 1, 1, 1}, 1e-6);
    assertThat(a).containsOnly(0);
  }

  @Test
  void sums_and_products_of_rows() {
    float[] a = {1, 2, 3};
    float[] b = {9, 10, 20};
    RowLoops.add(a, 1, b, 1, 2);
    assertThat(a).containsExactly(1, 12, 23);
    RowLoops.addScaled(a, 0, b, 1, 2, 0.5f);
    assertThat(a).containsExactly(6, 22, 23);
    RowLoops.multiply(a, 0, b, 0, 2);
    assertThat(a).containsExactly(54, 220, 23);
    assertThat(RowLoops.sigmoid(0)).isEqualTo(0.5f);
  }

  private interface Loop {
    void apply(float[] a, int from, int count);
  }

  private static void check(int count, Loop loop, DoubleUnaryOperator expected) {
    float[] values = random(count, 4);
    float[] a = padded(values);
    loop.apply(a, BEFORE, count);
    for (int i = 0; i < count; i++) {
      double wanted = expected.applyAsDouble(values[i]);
      assertThat((double) a[BEFORE + i])
          .as("at %s", values[i])
          .isCloseTo(wanted, within(1e-6 * Math.abs(wanted) + 1e-7));
    }
    assertPaddingUntouched(a);
  }

  private static float[] random(int count, float spread) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = spread * (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] padded(float[] values) {
    float[] a = new float[values.length + 2 * BEFORE];
    Arrays.fill(a, 42);
    System.arraycopy(values, 0, a, BEFORE, values.length);
    return a;
  }

  private static void assertPaddingUntouched(float[] a) {
    assertThat(a).startsWith(42, 42, 42).endsWith(42, 42, 42);
  }
}
