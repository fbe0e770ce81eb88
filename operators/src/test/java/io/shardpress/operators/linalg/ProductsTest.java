package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class ProductsTest {
  private static final long SEED = 20261121;

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "3, 17, 31", "33, 127, 129", "5, 1025, 40", "2, 2049, 7"})
  void operandsOfEitherTypeGiveTheProductOfTheirValues(int m, int n, int k) {
    Random random = new Random(SEED + n);
    try (INDArray a = Floats.of(KernelsTest.gaussian(random, m * k), m, k);
        INDArray b = Floats.of(KernelsTest.gaussian(random, n * k), n, k);
        INDArray narrowA = BFloats.rounded(a);
        INDArray narrowB = BFloats.rounded(b)) {
      for (INDArray left : new INDArray[] {a, narrowA}) {
        for (INDArray right : new INDArray[] {b, narrowB}) {
          try (INDArray c = Products.timesTransposed(left, right);
              INDArray transposed = Floats.transpose(widened(right));
              INDArray d = Products.times(left, transposed)) {
            float[] expected = plain(widened(left), widened(right));
            assertThat(Floats.toArray(c)).as("seed %d", SEED + n).hasSameSizeAs(expected);
            for (int i = 0; i < expected.length; i++) {
              assertThat(Floats.toArray(c)[i]).isCloseTo(expected[i], within(1e-5f * k));
              assertThat(Floats.toArray(d)[i]).isCloseTo(expected[i], within(1e-5f * k));
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 17", "31, 33", "7, 127", "129, 257", "40, 600"})
  void theUpperTriangleOfAGramIsMirroredWhenItIsDone(int tokens, int n) {
    Random random = new Random(SEED + n);
    float[] values = KernelsTest.gaussian(random, tokens * n);
    try (INDArray x = Floats.of(values, tokens, n);
        INDArray narrow = BFloats.rounded(x);
        INDArray gram = Floats.zeros(n, n)) {
      Products.addGramUpper(gram, x);
      Products.addGramUpper(gram, narrow);
      Products.mirrorUpper(gram);
      float[] found = Floats.toArray(gram);
      float[] rounded = Floats.toArray(widened(narrow));
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          double expected = 0;
          for (int t = 0; t < tokens; t++) {
            expected += (double) values[t * n + i] * values[t * n + j];
            expected += (double) rounded[t * n + i] * rounded[t * n + j];
          }
          assertThat((double) found[i * n + j])
              .as("seed %d, [%d, %d]", SEED + n, i, j)
              .isCloseTo(expected, within(1e-4 * Math.sqrt(tokens) + 1e-6 * Math.abs(expected)));
        }
      }
    }
  }

  /** The transposed copies of BF16 lie in memory that held something else before. */
  @ParameterizedTest
  @ValueSource(ints = {1, 33, 34, 64, 68, 75, 95})
  void noGramDependsOnWhatItsScratchHeld(int tokens) {
    int n = 1100;
    Random random = new Random(SEED + tokens);
    try (INDArray x = Floats.of(KernelsTest.gaussian(random, tokens * n), tokens, n);
        INDArray narrow = BFloats.rounded(x);
        INDArray gram = Floats.uninitialized(n, n);
        INDArray again = Floats.uninitialized(n, n);
        INDArray cross = Floats.uninitialized(n, n)) {
      leaveBehind(0, n, tokens);
      Products.gramUpper(gram, narrow);
      leaveBehind(Float.NaN, n, tokens);
      Products.gramUpper(again, narrow);
      leaveBehind(Float.NaN, n, tokens);
      Products.crossGram(cross, narrow, narrow);
      float[] expected = Floats.toArray(gram);
      float[] found = Floats.toArray(again);
      float[] whole = Floats.toArray(cross);
      for (int i = 0; i < n; i++) {
        for (int j = i; j < n; j++) {
          assertThat(found[i * n + j]).as("seed %d", SEED + tokens).isEqualTo(expected[i * n + j]);
          assertThat(whole[i * n + j]).isEqualTo(expected[i * n + j]);
        }
      }
    }
  }

  /** Fills memory that the next matrices will get. */
  private static void leaveBehind(float value, int n, int tokens) {
    float[] values = new float[n * (tokens + 95)];
    Arrays.fill(values, value);
    for (int columns = tokens; columns < tokens + 95; columns += 16) {
      try (INDArray wide = Floats.of(Arrays.copyOf(values, n * columns), n, columns);
          INDArray first = BFloats.rounded(wide);
          INDArray second = BFloats.rounded(wide)) {
        assertThat(Floats.columns(first)).isEqualTo(Floats.columns(second));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "3, 17, 31", "33, 127, 129", "7, 600, 40", "40, 513, 1030"})
  void partsBesideTheDiagonalAreProductsOfTheirChannels(int tokens, int m, int n) {
    Random random = new Random(SEED + n);
    float[] left = KernelsTest.gaussian(random, tokens * m);
    float[] right = KernelsTest.gaussian(random, tokens * n);
    try (INDArray x = Floats.of(left, tokens, m);
        INDArray y = Floats.of(right, tokens, n);
        INDArray narrowX = BFloats.rounded(x);
        INDArray narrowY = BFloats.rounded(y);
        INDArray sum = Floats.uninitialized(m, n)) {
      Products.crossGram(sum, x, y);
      Products.addCrossGram(sum, narrowX, narrowY);
      Products.addCrossGram(sum, narrowX, y);
      float[] found = Floats.toArray(sum);
      float[] roundedX = Floats.toArray(widened(narrowX));
      float[] roundedY = Floats.toArray(widened(narrowY));
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double expected = 0;
          for (int t = 0; t < tokens; t++) {
            expected += (double) left[t * m + i] * right[t * n + j];
            expected += (double) roundedX[t * m + i] * roundedY[t * n + j];
            expected += (double) roundedX[t * m + i] * right[t * n + j];
          }
          assertThat((double) found[i * n + j])
              .as("seed %d, [%d, %d]", SEED + n, i, j)
              .isCloseTo(expected, within(1e-4 * Math.sqrt(tokens)));
        }
      }
    }
  }

  @Test
  void shapesThatDoNotFitAreRefused() {
    try (INDArray a = Floats.zeros(2, 3);
        INDArray b = Floats.zeros(4, 5)) {
      assertThatThrownBy(() -> Products.timesTransposed(a, b))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Shapes do not fit: [2, 3] and [4, 5]");
      assertThatThrownBy(() -> new Block(a, 0, 2, 1, 3))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("columns 1 to 4 of a matrix [2, 3]");
    }
  }

  @Test
  void blocksOfAnotherTypeThanAskedForAreRefused() {
    try (INDArray floats = Floats.zeros(2, 2);
        INDArray bfloats = BFloats.rounded(floats)) {
      Block wide = Block.all(floats);
      Block narrow = Block.all(bfloats);
      assertThatThrownBy(() -> Products.timesTransposed(wide, narrow, wide))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("of F32 and BF16 into F32");
      assertThatThrownBy(() -> Products.timesTransposed(wide, wide, narrow))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("of F32 and F32 into BF16");
      assertThatThrownBy(() -> BFloats.round(narrow, narrow))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("BF16 [2, 2] to BF16 [2, 2]");
      assertThatThrownBy(() -> BFloats.widen(wide, wide))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("F32 [2, 2] to F32 [2, 2]");
    }
  }

  private static INDArray widened(INDArray array) {
    return BFloats.isBf16(array) ? BFloats.widened(array) : array;
  }

  /** {@code a bᵀ} in F64. */
  private static float[] plain(INDArray a, INDArray b) {
    float[] left = Floats.toArray(a);
    float[] right = Floats.toArray(b);
    int k = Floats.columns(a);
    int n = Floats.rows(b);
    float[] c = new float[Floats.rows(a) * n];
    for (int i = 0; i < c.length; i++) {
      double sum = 0;
      for (int t = 0; t < k; t++) {
        sum += (double) left[i / n * k + t] * right[i % n * k + t];
      }
      c[i] = (float) sum;
    }
    return c;
  }
}
