package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.model.Precision;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A buffer that is filled from the heap and read by products in the precision of the pass. Where
 * the machine has no BF16 products, rounded values are multiplied as F32: the same numbers.
 *
 * @param floats F32 {@code [rows, columns]}
 * @param rounded the same in BF16, where the pass rounds
 */
record Operand(INDArray floats, Optional<INDArray> rounded) implements AutoCloseable {

  static Operand of(int rows, int columns, Precision precision) {
    return new Operand(
        Floats.uninitialized(rows, columns),
        precision == Precision.BF16
            ? Optional.of(BFloats.uninitialized(rows, columns))
            : Optional.empty());
  }

  /** Fills the upper left block from row-major values. */
  void set(float[] values, int rows, int columns) {
    Floats.writeBlock(floats, 0, rows, 0, columns, values);
    Block wide = new Block(floats, 0, rows, 0, columns);
    rounded.ifPresent(
        narrow -> {
          Block into = new Block(narrow, 0, rows, 0, columns);
          BFloats.round(wide, into);
          if (!Kernels.multiplyBf16()) {
            BFloats.widen(into, wide);
          }
        });
  }

  /** What a product reads of some rows and the first columns. */
  Block block(int firstRow, int rows, int columns) {
    INDArray matrix = rounded.filter(narrow -> Kernels.multiplyBf16()).orElse(floats);
    return new Block(matrix, firstRow, rows, 0, columns);
  }

  @Override
  public void close() {
    floats.close();
    rounded.ifPresent(INDArray::close);
  }
}
