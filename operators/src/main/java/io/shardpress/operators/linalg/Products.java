package io.shardpress.operators.linalg;

import static io.shardpress.operators.linalg.Floats.columns;
import static io.shardpress.operators.linalg.Floats.pointer;
import static io.shardpress.operators.linalg.Floats.rows;

import io.shardpress.operators.linalg.MatrixKernels.Form;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Matrix products on F32 matrices. New results are owned by the caller. */
public final class Products {
  private Products() {}

  /** {@code a [m, k] · b [n, k]ᵀ → [m, n]}: a linear layer's {@code x·Wᵀ}. */
  public static INDArray timesTransposed(INDArray a, INDArray b) {
    requireEqual(columns(a), columns(b), a, b);
    INDArray c = Floats.uninitialized(rows(a), rows(b));
    multiply(Form.PLAIN, a, Form.TRANSPOSED, b, 1f, 0f, c);
    return c;
  }

  /** {@code a [m, k] · b [k, n] → [m, n]}. */
  public static INDArray times(INDArray a, INDArray b) {
    requireEqual(columns(a), rows(b), a, b);
    INDArray c = Floats.uninitialized(rows(a), columns(b));
    multiply(Form.PLAIN, a, Form.PLAIN, b, 1f, 0f, c);
    return c;
  }

  /** {@code c [m, n] -= a [m, k] · b [k, n]}. */
  public static void subtractTimes(INDArray c, INDArray a, INDArray b) {
    requireEqual(columns(a), rows(b), a, b);
    requireEqual(rows(c), rows(a), c, a);
    requireEqual(columns(c), columns(b), c, b);
    multiply(Form.PLAIN, a, Form.PLAIN, b, -1f, 1f, c);
  }

  /**
   * {@code c[:, from:] -= a [m, k] · b[fromRow:fromRow+k, from:]}: the trailing update of a column
   * sweep, with {@code c [m, n]} and {@code b [n, n]}.
   */
  public static void subtractTimesTrailing(INDArray c, INDArray a, INDArray b, int firstRow) {
    int k = columns(a);
    int from = firstRow + k;
    int n = columns(c);
    requireEqual(columns(b), n, b, c);
    if (from >= n || rows(c) == 0) {
      return;
    }
    try (FloatPointer right = pointer(b);
        FloatPointer target = pointer(c)) {
      Kernels.chosen()
          .multiply(
              Form.PLAIN,
              Form.PLAIN,
              rows(c),
              n - from,
              k,
              -1f,
              pointer(a),
              k,
              right.position((long) firstRow * n + from),
              n,
              1f,
              target.position(from),
              n);
    }
  }

  /** {@code g [n, n] += x [m, n]ᵀ · x}, both triangles. */
  public static void addGram(INDArray g, INDArray x) {
    requireEqual(columns(g), columns(x), g, x);
    if (rows(x) == 0) {
      return;
    }
    Kernels.chosen().addGramUpper(columns(x), rows(x), pointer(x), pointer(g));
    Triangles.mirrorUpper(g);
  }

  private static void multiply(
      Form formA, INDArray a, Form formB, INDArray b, float alpha, float beta, INDArray c) {
    if (c.isEmpty() || rows(c) == 0 || columns(c) == 0) {
      return;
    }
    Kernels.chosen()
        .multiply(
            formA,
            formB,
            rows(c),
            columns(c),
            formA == Form.PLAIN ? columns(a) : rows(a),
            alpha,
            pointer(a),
            columns(a),
            pointer(b),
            columns(b),
            beta,
            pointer(c),
            columns(c));
  }

  private static void requireEqual(int left, int right, INDArray a, INDArray b) {
    if (left != right) {
      throw new IllegalArgumentException(
          "Shapes do not fit: [%d, %d] and [%d, %d]"
              .formatted(rows(a), columns(a), rows(b), columns(b)));
    }
  }
}
