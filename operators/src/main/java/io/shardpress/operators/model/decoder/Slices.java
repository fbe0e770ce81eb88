package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.decoder.Scratch.Use;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Takes tokens through a network some rows at a time, so that what lies between its linears needs
 * memory for a slice only.
 *
 * @param before what the rows are normalized by first
 */
record Slices(Optional<Norm> before) {
  /**
   * Tokens in a slice: enough to make the packing of a weight small beside its product, and sums
   * over tokens long ones.
   */
  private static final int TOKENS = 4096;

  /** Adds the output for one slice {@code x [rows, hidden]}, as linears read it, to a sum. */
  interface Network {
    void add(INDArray x, Block sum);
  }

  /**
   * Adds the output for {@code x [tokens, hidden]} to {@code sum [tokens, out]}, which may be
   * {@code x} itself.
   *
   * @param multiple slices hold a whole number of so many rows
   */
  void add(INDArray x, INDArray sum, int multiple, Scratch scratch, Network network) {
    int rows = Floats.rows(x);
    int step = Math.max(1, TOKENS / multiple) * multiple;
    for (int first = 0; first < rows; first += step) {
      int count = Math.min(step, rows - first);
      INDArray entry = scratch.operand(Use.INPUT, count, Floats.columns(x));
      RowChunks.edit(Block.rows(x, first, count), this::normalize, entry, 0);
      network.add(entry, Block.rows(sum, first, count));
    }
  }

  private void normalize(float[] values, int from) {
    before.ifPresent(norm -> norm.apply(values, from));
  }
}
