package io.shardpress.operators.statistics;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sums the inputs of one fixed chunk of tokens: F32 Gram products inside the chunk, F64 moments.
 * One accumulator per input and chunk; {@link InputStatistics#fold} then adds the chunks. Not
 * thread-safe.
 */
public final class StatisticsAccumulator implements AutoCloseable {
  /** Rows summed in F32 before they join the F64 sums: keeps the inner loops vectorized. */
  private static final int ROWS = 64;

  private final String input;
  private final double[] sumAbs;
  private final double[] sumSquares;
  private final float[] maxAbs;
  private final Optional<INDArray> gram;
  private long tokens;
  private boolean handedOver;

  /**
   * @param input the shared-input id that errors name
   * @param width number of channels
   */
  public StatisticsAccumulator(String input, int width, StatisticsNeed need) {
    this.input = input;
    sumAbs = new double[width];
    sumSquares = new double[width];
    maxAbs = new float[width];
    gram =
        switch (need) {
          case GRAM -> Optional.of(Floats.uninitialized(width, width));
          case MOMENTS -> Optional.empty();
          case NONE ->
              throw new IllegalArgumentException("Nothing to accumulate for " + input + ": NONE");
        };
  }

  /**
   * Adds the tokens of F32 or BF16 {@code x [tokens, channels]}, which stays unchanged and is not
   * kept.
   *
   * @throws io.shardpress.common.error.NumericalException when a value is NaN or infinite
   */
  public void observe(INDArray x) {
    int n = sumAbs.length;
    int rows = Floats.rows(x);
    if (rows == 0) {
      return;
    }
    if (BFloats.isBf16(x)) {
      try (INDArray wide = Floats.uninitialized(Math.min(ROWS, rows), n)) {
        for (int first = 0; first < rows; first += ROWS) {
          int count = Math.min(ROWS, rows - first);
          BFloats.widen(Block.rows(x, first, count), Block.rows(wide, 0, count));
          addMoments(wide, 0, count);
        }
      }
    } else {
      for (int first = 0; first < rows; first += ROWS) {
        addMoments(x, first, Math.min(ROWS, rows - first));
      }
    }
    requireFinite();
    gram.ifPresent(g -> addGram(g, x));
    tokens += rows;
  }

  private void addMoments(INDArray x, int first, int count) {
    float[] row = new float[sumAbs.length];
    float[] abs = new float[row.length];
    float[] squares = new float[row.length];
    for (int i = 0; i < count; i++) {
      Floats.readRow(x, first + i, row);
      addRow(row, abs, squares, maxAbs);
    }
    for (int j = 0; j < row.length; j++) {
      sumAbs[j] += abs[j];
      sumSquares[j] += squares[j];
    }
  }

  private void addGram(INDArray sum, INDArray x) {
    if (tokens == 0) {
      Products.gramUpper(sum, x);
    } else {
      Products.addGramUpper(sum, x);
    }
  }

  private static void addRow(float[] row, float[] abs, float[] squares, float[] maxAbs) {
    for (int j = 0; j < abs.length; j++) {
      float value = Math.abs(row[j]);
      abs[j] += value;
      squares[j] += value * value;
      maxAbs[j] = Math.max(maxAbs[j], value);
    }
  }

  private void requireFinite() {
    for (int j = 0; j < sumSquares.length; j++) {
      if (!Double.isFinite(sumSquares[j]) || !Double.isFinite(sumAbs[j])) {
        throw InputStatistics.nonFinite(
            input, "channel %d, after %d tokens of this chunk".formatted(j, tokens));
      }
    }
  }

  /** The sums so far. Hands the Gram over: the accumulator ends here, the caller closes. */
  public InputStatistics finish() {
    requireOpen();
    gram.ifPresent(Products::mirrorUpper);
    return finishForStorage();
  }

  /** {@link #finish} where the Gram's lower triangle will not be read: it is left undefined. */
  public InputStatistics finishForStorage() {
    requireOpen();
    handedOver = true;
    if (tokens == 0) {
      float[] zeros = new float[sumAbs.length];
      gram.ifPresent(
          g -> IntStream.range(0, zeros.length).forEach(i -> Floats.writeRow(g, i, zeros)));
    }
    return new InputStatistics(input, tokens, sumAbs, sumSquares, maxAbs, gram.map(Gram::of));
  }

  private void requireOpen() {
    if (handedOver) {
      throw new IllegalStateException("The statistics of " + input + " were handed over already");
    }
  }

  /** Frees the Gram unless {@link #finish} handed it over. */
  @Override
  public void close() {
    if (!handedOver) {
      gram.ifPresent(INDArray::close);
    }
  }
}
