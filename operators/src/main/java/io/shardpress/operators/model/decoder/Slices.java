package io.shardpress.operators.model.decoder;

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

  /** Maps one slice {@code [rows, hidden]} to its output, both in scratch memory. */
  interface Network {
    INDArray apply(INDArray x);
  }

  /**
   * {@code x [tokens, hidden]} → a new matrix {@code [tokens, out]}.
   *
   * @param multiple slices hold a whole number of so many rows
   */
  INDArray apply(INDArray x, int out, int multiple, Scratch scratch, Network network) {
    int rows = Floats.rows(x);
    int step = Math.max(1, TOKENS / multiple) * multiple;
    INDArray result = Floats.uninitialized(rows, out);
    try {
      for (int first = 0; first < rows; first += step) {
        int count = Math.min(step, rows - first);
        INDArray slice = scratch.floats(Use.INPUT, count, Floats.columns(x));
        RowChunks.copyRows(x, first, count, slice, 0);
        before.ifPresent(norm -> norm.apply(slice));
        RowChunks.copyRows(network.apply(slice), 0, count, result, first);
      }
    } catch (RuntimeException e) {
      result.close();
      throw e;
    }
    return result;
  }
}
