package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import java.util.EnumMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Matrices that a pass fills anew for every slice of tokens. Fresh memory costs more than filling
 * it again, and a slice's stays in the cache. Nobody but the scratch closes what it hands out.
 */
final class Scratch implements AutoCloseable {
  private final Precision precision;
  private final Map<Use, INDArray> matrices = new EnumMap<>(Use.class);

  /** What a matrix is for; each has one shape until the slices change theirs. */
  enum Use {
    INPUT,
    FIRST,
    SECOND,
    THIRD,
    INNER
  }

  Scratch(Precision precision) {
    this.precision = precision;
  }

  /** An F32 matrix with undefined content. */
  INDArray floats(Use use, int rows, int columns) {
    if (!fits(use, rows, columns)) {
      matrices.put(use, Floats.uninitialized(rows, columns));
    }
    return matrices.get(use);
  }

  /** A matrix as linears read it, in the precision of the pass, with undefined content. */
  INDArray operand(Use use, int rows, int columns) {
    if (!fits(use, rows, columns)) {
      matrices.put(
          use,
          precision == Precision.BF16
              ? BFloats.uninitialized(rows, columns)
              : Floats.uninitialized(rows, columns));
    }
    return matrices.get(use);
  }

  private boolean fits(Use use, int rows, int columns) {
    INDArray matrix = matrices.get(use);
    if (matrix == null) {
      return false;
    }
    boolean fits = Floats.rows(matrix) == rows && Floats.columns(matrix) == columns;
    if (!fits) {
      matrix.close();
    }
    return fits;
  }

  @Override
  public void close() {
    matrices.values().forEach(INDArray::close);
  }
}
