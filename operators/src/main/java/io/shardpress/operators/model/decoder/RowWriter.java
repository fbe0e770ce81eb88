package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Brings rows from the heap into a matrix: to F32 as they are, to BF16 rounded while in cache. */
final class RowWriter implements AutoCloseable {
  private final INDArray target;
  private final Optional<INDArray> wide;

  /**
   * @param most rows that are written at a time
   */
  RowWriter(INDArray target, int most) {
    this.target = target;
    this.wide =
        BFloats.isBf16(target)
            ? Optional.of(Floats.uninitialized(most, Floats.columns(target)))
            : Optional.empty();
  }

  /** Writes {@code count} rows, row-major from the start of {@code values}. */
  void write(int first, int count, float[] values) {
    if (wide.isEmpty()) {
      Floats.writeRows(target, first, count, values);
      return;
    }
    Floats.writeRows(wide.get(), 0, count, values);
    BFloats.round(Block.rows(wide.get(), 0, count), Block.rows(target, first, count));
  }

  @Override
  public void close() {
    wide.ifPresent(INDArray::close);
  }
}
