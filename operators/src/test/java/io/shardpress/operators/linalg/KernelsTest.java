package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.operators.linalg.MatrixKernels.Form;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Provider against provider; plain Java defines the result. */
class KernelsTest {
  private static final long SEED = 20260731;

  private final MatrixKernels reference = new JavaKernels();
  private final MatrixKernels fast = new OpenBlasKernels();

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129})
  void productsAgreeInAllForms(int size) {
    Random random = new Random(SEED + size);
    int m = size;
    int n = size + 2;
    int k = 2 * size + 1;
    for (Form formA : Form.values()) {
      for (Form formB : Form.values()) {
        float[] a = gaussian(random, m * k);
        float[] b = gaussian(random, k * n);
        float[] c = gaussian(random, m * n);
        int lda = formA == Form.PLAIN ? k : m;
        int ldb = formB == Form.PLAIN ? n : k;
        float[] expected = product(reference, formA, formB, m, n, k, a, lda, b, ldb, c);
        float[] actual = product(fast, formA, formB, m, n, k, a, lda, b, ldb, c);
        assertClose(expected, actual, 1e-5f * k, "seed " + (SEED + size) + " " + formA + formB);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 33, 129})
  void gramsFactorsAndInversesAgree(int n) {
    Random random = new Random(SEED + n);
    float[] x = gaussian(random, 3 * n * n);
    float[] expected = new float[n * n];
    float[] actual = new float[n * n];
    for (MatrixKernels kernels : new MatrixKernels[] {reference, fast}) {
      try (FloatPointer g = new FloatPointer(new float[n * n])) {
        kernels.addGramUpper(n, 3 * n, new FloatPointer(x), g);
        for (int i = 0; i < n; i++) {
          g.put((long) i * n + i, g.get((long) i * n + i) + 1);
          for (int j = 0; j < i; j++) {
            g.put((long) i * n + j, g.get((long) j * n + i));
          }
        }
        assertThat(kernels.choleskyLower(n, g)).isZero();
        kernels.invertLower(n, g);
        for (int i = 0; i < n; i++) {
          for (int j = i + 1; j < n; j++) {
            g.put((long) i * n + j, 0);
          }
        }
        g.get(kernels == reference ? expected : actual);
      }
    }
    assertClose(expected, actual, 1e-4f, "seed " + (SEED + n));
  }

  @Test
  void aMatrixThatIsNotPositiveDefiniteNamesItsMinor() {
    for (MatrixKernels kernels : new MatrixKernels[] {reference, fast}) {
      try (FloatPointer a = new FloatPointer(1f, 0f, 0f, -1f)) {
        assertThat(kernels.choleskyLower(2, a)).as(kernels.description()).isEqualTo(2);
      }
    }
  }

  @Test
  void anUnknownProviderIsRefused() {
    assertThatThrownBy(() -> Kernels.choose("cuda"))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("'cuda'")
        .hasMessageContaining("auto, openblas or java");
    assertThat(Kernels.choose("java").description()).startsWith("java");
    assertThat(Kernels.Choice.of("cuda").refusal().orElseThrow()).hasMessageContaining("'cuda'");
  }

  @Test
  void upperFactorReproducesTheInverse() {
    int n = 40;
    Random random = new Random(SEED);
    try (INDArray x = Floats.of(gaussian(random, 100 * n), 100, n);
        INDArray h = Floats.zeros(n, n)) {
      Products.addGram(h, x);
      try (UpperFactor u = UpperFactor.ofInverse(h);
          INDArray transposed = Floats.of(transpose(Floats.toArray(u.matrix()), n), n, n);
          INDArray inverse = Products.times(transposed, u.matrix());
          INDArray identity = Products.times(h, inverse)) {
        float[] values = Floats.toArray(identity);
        for (int i = 0; i < n * n; i++) {
          assertThat(values[i])
              .as("seed %d, element %d", SEED, i)
              .isBetween((i % (n + 1) == 0 ? 1 : 0) - 1e-3f, (i % (n + 1) == 0 ? 1 : 0) + 1e-3f);
        }
        assertThat(Floats.toArray(u.matrix())[n]).as("below the diagonal").isZero();
      }
    }
  }

  @Test
  void trailingUpdateTouchesOnlyTheColumnsBehindTheBlock() {
    Random random = new Random(SEED);
    float[] c = gaussian(random, 5 * 9);
    try (INDArray target = Floats.of(c, 5, 9);
        INDArray errors = Floats.of(gaussian(random, 5 * 3), 5, 3);
        INDArray factor = Floats.of(gaussian(random, 81), 9, 9)) {
      Products.subtractTimesTrailing(target, errors, factor, 2);
      float[] after = Floats.toArray(target);
      float[] e = Floats.toArray(errors);
      float[] u = Floats.toArray(factor);
      for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 9; j++) {
          float expected = c[i * 9 + j];
          for (int k = 0; k < 3 && j >= 5; k++) {
            expected -= e[i * 3 + k] * u[(2 + k) * 9 + j];
          }
          assertThat(after[i * 9 + j])
              .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-5f));
        }
      }
    }
  }

  private static float[] product(
      MatrixKernels kernels,
      Form formA,
      Form formB,
      int m,
      int n,
      int k,
      float[] a,
      int lda,
      float[] b,
      int ldb,
      float[] c) {
    try (FloatPointer target = new FloatPointer(c.clone())) {
      kernels.multiply(
          formA,
          formB,
          m,
          n,
          k,
          0.5f,
          new FloatPointer(a),
          lda,
          new FloatPointer(b),
          ldb,
          2f,
          target,
          n);
      float[] result = new float[c.length];
      target.get(result);
      return result;
    }
  }

  private static float[] transpose(float[] a, int n) {
    float[] result = new float[n * n];
    for (int i = 0; i < n * n; i++) {
      result[i % n * n + i / n] = a[i];
    }
    return result;
  }

  private static float[] gaussian(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void assertClose(float[] expected, float[] actual, float tolerance, String what) {
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i])
          .as("%s, element %d", what, i)
          .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(tolerance));
    }
  }
}
