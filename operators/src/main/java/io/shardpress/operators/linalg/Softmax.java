package io.shardpress.operators.linalg;

import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Softmax of the rows of a matrix. */
public final class Softmax {
  private Softmax() {}

  /** Sets all of row {@code i} but elements {@code [begins[i], ends[i])} to minus infinity. */
  public static void mask(INDArray scores, int[] begins, int[] ends) {
    int columns = Floats.columns(scores);
    float[] infinities = new float[columns];
    Arrays.fill(infinities, Float.NEGATIVE_INFINITY);
    FloatPointer p = Floats.pointer(scores);
    for (int row = 0; row < Floats.rows(scores); row++) {
      long at = (long) row * columns;
      if (begins[row] > 0) {
        p.position(at).put(infinities, 0, begins[row]);
      }
      if (ends[row] < columns) {
        p.position(at + ends[row]).put(infinities, 0, columns - ends[row]);
      }
    }
  }

  /**
   * Puts the softmax of every row of F32 {@code scores} into {@code weights} of the same shape, F32
   * or BF16. Minus infinity gets weight zero; every row has a finite element.
   */
  public static void rows(INDArray scores, INDArray weights) {
    Block from = Block.all(scores);
    Block into = Block.all(weights);
    if (BFloats.isBf16(scores) || from.rows() != into.rows() || from.columns() != into.columns()) {
      throw new IllegalArgumentException(
          "Softmax of %s [%d, %d] into [%d, %d]"
              .formatted(from.type(), from.rows(), from.columns(), into.rows(), into.columns()));
    }
    if (!from.isEmpty()) {
      Kernels.chosen().softmax(from, into);
    }
  }
}
