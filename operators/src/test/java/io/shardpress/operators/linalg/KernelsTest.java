package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.operators.linalg.MatrixKernels.Form;
import io.shardpress.operators.linalg.MatrixKernels.Update;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Provider against provider; plain Java defines the result. */
class KernelsTest {
  private static final long SEED = 20260731;

  private static final MatrixKernels REFERENCE = new JavaKernels();
  private static final List<MatrixKernels> PROVIDERS =
      List.of(new OneDnnKernels(), new OpenBlasKernels());

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129, 300})
  void productsAgreeInAllFormsAndUpdatesInsideLargerMatrices(int size) {
    Random random = new Random(SEED + size);
    int m = size;
    int n = size + 2;
    int k = 2 * size + 1;
    for (Form formA : Form.values()) {
      for (Form formB : Form.values()) {
        for (Update update : Update.values()) {
          try (INDArray a = framed(random, formA, m, k);
              INDArray b = framed(random, formB, k, n);
              INDArray start = framed(random, Form.PLAIN, m, n);
              INDArray expected = product(REFERENCE, formA, a, formB, b, update, start)) {
            for (MatrixKernels provider : PROVIDERS) {
              try (INDArray actual = product(provider, formA, a, formB, b, update, start)) {
                String what = "seed " + (SEED + size) + " " + formA + formB + update + provider;
                assertClose(expected, actual, 1e-5f * k, what);
              }
            }
          }
        }
      }
    }
  }

  /** oneDNN 3.11 with AMX reads up to the next multiple of 32 elements. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 17, 31, 33, 34, 38, 62, 68, 80, 100, 127, 129})
  void whatLiesBehindTheRowsOfAnOperandDoesNotMatter(int k) {
    int m = 33;
    int n = 40;
    try (INDArray nans = Floats.of(filled(m * (k + 40), Float.NaN), m, k + 40L);
        INDArray a = BFloats.rounded(nans);
        INDArray b = BFloats.rounded(Floats.of(filled(n * k, 1), n, k));
        INDArray factors = Floats.of(filled(m * n, 1), m, n);
        INDArray c = Floats.uninitialized(m, n);
        INDArray gated = BFloats.uninitialized(m, n)) {
      Block left = Block.columns(a, 0, k);
      BFloats.round(Block.all(Floats.of(filled(m * k, 1), m, k)), left);
      for (MatrixKernels provider : PROVIDERS) {
        if (provider.multipliesBf16()) {
          provider.multiply(
              Form.PLAIN, left, Form.TRANSPOSED, Block.all(b), Update.SET, Block.all(c));
          assertThat(Floats.toArray(c)).containsOnly(k);
        }
        provider.gated(left, Block.all(b), Activation.RELU, Block.all(factors), Block.all(gated));
        assertThat(Floats.toArray(BFloats.widened(gated))).containsOnly(k);
      }
    }
  }

  private static float[] filled(int count, float value) {
    float[] values = new float[count];
    Arrays.fill(values, value);
    return values;
  }

  /** Two values rounded to BF16, half a step apart before, may end a step apart. */
  private static final float BF16_STEP = 1f / 128;

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129, 300})
  void gatedProductsAreActivatedAndMultiplied(int size) {
    Random random = new Random(SEED + size);
    int m = size + 1;
    int k = 2 * size;
    for (Activation activation : Activation.values()) {
      try (INDArray wideA = Floats.of(gaussian(random, m * k), m, k);
          INDArray wideB = Floats.of(gaussian(random, size * k), size, k);
          INDArray a = BFloats.rounded(wideA);
          INDArray b = BFloats.rounded(wideB);
          INDArray factors = Floats.of(gaussian(random, m * size), m, size);
          INDArray expected = BFloats.uninitialized(m, size);
          INDArray wider = BFloats.uninitialized(m, size + 7L)) {
        gated(REFERENCE, a, b, activation, factors, Block.all(expected));
        float[] wanted = new float[m * size];
        Floats.read(Block.all(expected), wanted);
        for (MatrixKernels provider : PROVIDERS) {
          for (int distance : new int[] {size, size + 7}) {
            Block actual = Block.columns(OffHeapMatrix.view(wider, m, distance), 0, size);
            gated(provider, a, b, activation, factors, actual);
            float[] found = new float[m * size];
            Floats.read(actual, found);
            for (int i = 0; i < wanted.length; i++) {
              assertThat(found[i])
                  .as("seed %d %s %s, element %d", SEED + size, activation, provider, i)
                  .isCloseTo(wanted[i], Offset.offset(1e-5f * k + BF16_STEP * Math.abs(wanted[i])));
            }
          }
        }
      }
    }
  }

  private static void gated(
      MatrixKernels provider,
      INDArray a,
      INDArray b,
      Activation activation,
      INDArray factors,
      Block into) {
    provider.gated(Block.all(a), Block.all(b), activation, Block.all(factors), into);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129, 1000, 2049})
  void softmaxOfRowsAgrees(int columns) {
    Random random = new Random(SEED + columns);
    int rows = 7;
    float[] values = gaussian(random, rows * columns);
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 3 == 1 ? Float.NEGATIVE_INFINITY : 20 * values[i];
    }
    try (INDArray scores = Floats.of(values, rows, columns);
        INDArray expected = Floats.uninitialized(rows, columns);
        INDArray actual = Floats.uninitialized(rows, columns);
        INDArray narrow = BFloats.uninitialized(rows, columns)) {
      for (int row = 0; row < rows; row++) { // some element of a row is finite
        Floats.writeBlock(scores, row, 1, columns / 2, 1, new float[] {1});
      }
      REFERENCE.softmax(Block.all(scores), Block.all(expected));
      for (MatrixKernels provider : PROVIDERS) {
        String what = "seed " + (SEED + columns) + provider;
        provider.softmax(Block.all(scores), Block.all(actual));
        assertClose(expected, actual, 1e-6f, what);
        provider.softmax(Block.all(scores), Block.all(narrow));
        assertClose(expected, BFloats.widened(narrow), BF16_STEP, what);
        INDArray inPlace = Floats.copy(scores);
        provider.softmax(Block.all(inPlace), Block.all(inPlace));
        assertThat(Floats.toArray(inPlace)).as(what).isEqualTo(Floats.toArray(actual));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129, 300})
  void bf16ProductsAreThoseOfTheSameValuesInF32(int size) {
    Random random = new Random(SEED + size);
    int m = size + 1;
    int n = size;
    int k = size + 5;
    for (MatrixKernels provider : PROVIDERS) {
      if (!provider.multipliesBf16()) {
        continue;
      }
      for (Form formA : Form.values()) {
        for (Form formB : Form.values()) {
          for (Update update : List.of(Update.SET, Update.ADD)) {
            try (INDArray a = framed(random, formA, m, k);
                INDArray b = framed(random, formB, k, n);
                INDArray narrowA = BFloats.rounded(a);
                INDArray narrowB = BFloats.rounded(b);
                INDArray wideA = BFloats.widened(narrowA);
                INDArray wideB = BFloats.widened(narrowB);
                INDArray start = framed(random, Form.PLAIN, m, n);
                INDArray expected = product(REFERENCE, formA, wideA, formB, wideB, update, start);
                INDArray actual =
                    product(provider, formA, narrowA, formB, narrowB, update, start)) {
              assertClose(expected, actual, 1e-5f * k, "seed " + (SEED + size) + provider);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129, 1000, 2049})
  void conversionsAgreeBitForBit(int columns) {
    Random random = new Random(SEED + columns);
    float[] values = gaussian(random, 3 * columns);
    values[0] = Float.NaN;
    values[columns] = Float.NEGATIVE_INFINITY;
    values[2 * columns] = Float.intBitsToFloat(0x3f808000); // halfway: to even
    try (INDArray floats = Floats.of(values, 3, columns)) {
      short[] expected = bits(REFERENCE, floats);
      for (MatrixKernels provider : PROVIDERS) {
        assertThat(bits(provider, floats)).as(provider + ", seed %d", SEED).isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129, 1000, 2049})
  void transposesAgreeBitForBit(int columns) {
    Random random = new Random(SEED + columns);
    for (int rows : new int[] {1, 5, 64}) {
      try (INDArray floats = Floats.of(gaussian(random, rows * columns), rows, columns);
          INDArray matrix = BFloats.rounded(floats);
          INDArray into = BFloats.uninitialized(columns, rows + 3L);
          INDArray expected = Floats.transpose(BFloats.widened(matrix))) {
        for (MatrixKernels provider : PROVIDERS) {
          provider.transpose(Block.all(matrix), Block.columns(into, 2, rows));
          float[] found = new float[rows * columns];
          Floats.read(Block.columns(into, 2, rows), found);
          assertThat(found).as(provider + ", seed %d", SEED).isEqualTo(Floats.toArray(expected));
        }
      }
    }
  }

  /** Too large for the reference in all forms: the two native libraries against each other. */
  @ParameterizedTest
  @CsvSource({"1000, 2049, 129", "2049, 1000, 33", "129, 31, 2049"})
  void largeProductsAgree(int m, int n, int k) {
    Random random = new Random(SEED + m);
    try (INDArray a = framed(random, Form.PLAIN, m, k);
        INDArray b = framed(random, Form.TRANSPOSED, k, n);
        INDArray start = Floats.zeros(m + 1, n + 3);
        INDArray expected =
            product(PROVIDERS.get(1), Form.PLAIN, a, Form.TRANSPOSED, b, Update.SET, start);
        INDArray actual =
            product(PROVIDERS.get(0), Form.PLAIN, a, Form.TRANSPOSED, b, Update.SET, start)) {
      assertClose(expected, actual, 1e-5f * k, "seed " + (SEED + m));
    }
  }

  private static short[] bits(MatrixKernels provider, INDArray floats) {
    try (INDArray narrow = BFloats.uninitialized(Floats.rows(floats), Floats.columns(floats));
        INDArray wide = Floats.uninitialized(Floats.rows(floats), Floats.columns(floats))) {
      provider.round(Block.all(floats), Block.all(narrow));
      provider.widen(Block.all(narrow), Block.all(wide));
      short[] bits = new short[(int) floats.length()];
      BFloats.readRows(narrow, 0, Floats.rows(floats), bits);
      float[] widened = Floats.toArray(wide);
      for (int i = 0; i < bits.length; i++) {
        assertThat(widened[i]).isEqualTo(Float.valueOf(BFloats.value(bits[i])));
      }
      return bits;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 33, 129})
  void factorsAndInversesAgree(int n) {
    Random random = new Random(SEED + n);
    try (INDArray gram = gram(random, n)) {
      float[] expected = invertedFactor(REFERENCE, gram);
      for (MatrixKernels provider : PROVIDERS) {
        float[] actual = invertedFactor(provider, gram);
        for (int i = 0; i < n * n; i++) {
          assertThat(actual[i])
              .as("%s, seed %d, element %d", provider, SEED + n, i)
              .isCloseTo(expected[i], Offset.offset(1e-4f));
        }
      }
    }
  }

  private static float[] invertedFactor(MatrixKernels provider, INDArray gram) {
    try (INDArray a = Floats.copy(gram)) {
      assertThat(provider.choleskyLower(Floats.rows(a), Floats.pointer(a))).isZero();
      provider.invertLower(Floats.rows(a), Floats.pointer(a));
      Triangles.clearUpper(a);
      return Floats.toArray(a);
    }
  }

  @Test
  void aMatrixThatIsNotPositiveDefiniteNamesItsMinor() {
    for (MatrixKernels provider : List.of(REFERENCE, PROVIDERS.get(0), PROVIDERS.get(1))) {
      try (FloatPointer a = new FloatPointer(1f, 0f, 0f, -1f)) {
        assertThat(provider.choleskyLower(2, a)).as(provider.description()).isEqualTo(2);
      }
    }
  }

  @Test
  void anUnknownProviderIsRefused() {
    assertThatThrownBy(() -> KernelChoice.of("cuda"))
        .isInstanceOf(EnvironmentException.class)
        .hasMessage(
            "Unknown value 'cuda' of -Dshardpress.kernels. Use auto, onednn, openblas or java.");
    assertThat(KernelChoice.of("java")).isEqualTo(KernelChoice.JAVA);
  }

  private static INDArray product(
      MatrixKernels provider,
      Form formA,
      INDArray a,
      Form formB,
      INDArray b,
      Update update,
      INDArray start) {
    INDArray c = Floats.copy(start);
    provider.multiply(formA, inner(a), formB, inner(b), update, inner(c));
    return c;
  }

  /** A matrix with a border of one row and three columns around {@code op(x) [rows, columns]}. */
  private static INDArray framed(Random random, Form form, int rows, int columns) {
    int r = (form == Form.PLAIN ? rows : columns) + 1;
    int c = (form == Form.PLAIN ? columns : rows) + 3;
    return Floats.of(gaussian(random, r * c), r, c);
  }

  private static Block inner(INDArray framed) {
    return new Block(framed, 1, Floats.rows(framed) - 1, 2, Floats.columns(framed) - 3);
  }

  /** {@code XᵀX + 1} of three times as many random rows as columns. */
  static INDArray gram(Random random, int n) {
    INDArray gram = Floats.zeros(n, n);
    float[] one = new float[n];
    for (int i = 0; i < n; i++) {
      Arrays.fill(one, 0);
      one[i] = 1;
      Floats.writeRow(gram, i, one);
    }
    try (INDArray x = Floats.of(gaussian(random, 3 * n * n), 3L * n, n)) {
      Products.addGramUpper(gram, x);
    }
    Products.mirrorUpper(gram);
    return gram;
  }

  static float[] gaussian(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void assertClose(INDArray expected, INDArray actual, float tolerance, String w) {
    float[] left = Floats.toArray(expected);
    float[] right = Floats.toArray(actual);
    for (int i = 0; i < left.length; i++) {
      if (!(Math.abs(left[i] - right[i]) <= tolerance)) {
        assertThat(right[i])
            .as("%s, element %d", w, i)
            .isCloseTo(left[i], Offset.offset(tolerance));
      }
    }
  }
}
