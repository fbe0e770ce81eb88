package io.shardpress.operators.statistics;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.NumericalException;
import io.shardpress.operators.linalg.Floats;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Plain sums over the tokens that reached one input of {@code n} channels; linears that share an
 * input share its statistics. Every value is finite.
 *
 * @param input the shared-input id, e.g. {@code model.layers.3.self_attn.qkv_input}
 * @param tokens number of tokens summed
 * @param sumAbs {@code Σ |x|} per channel; not copied, do not modify
 * @param sumSquares {@code Σ x²} per channel; not copied, do not modify
 * @param maxAbs {@code max |x|} per channel; not copied, do not modify
 * @param gram {@code Σ x xᵀ}; owned by this record
 */
@SuppressWarnings("ArrayRecordComponent") // bulk numbers: compared by tests, never by equals
public record InputStatistics(
    String input,
    long tokens,
    double[] sumAbs,
    double[] sumSquares,
    float[] maxAbs,
    Optional<Gram> gram)
    implements AutoCloseable {

  public InputStatistics {
    int n = sumAbs.length;
    if (sumSquares.length != n
        || maxAbs.length != n
        || gram.filter(g -> g.width() != n).isPresent()) {
      throw new IllegalArgumentException("Statistics of " + input + " differ in width");
    }
    for (int j = 0; j < n; j++) {
      if (!Double.isFinite(sumAbs[j])
          || !Double.isFinite(sumSquares[j])
          || !Float.isFinite(maxAbs[j])) {
        throw nonFinite(input, "channel " + j);
      }
    }
  }

  /** Number of channels. */
  public int width() {
    return sumAbs.length;
  }

  /**
   * Adds partial statistics of one input in the order given: F64 sums, stored as F32 where the
   * parts are. Equal parts in equal order give equal bits. The parts, whose Grams are in memory,
   * stay open.
   *
   * @throws NumericalException when a sum leaves F32's range
   */
  public static InputStatistics fold(List<InputStatistics> parts) {
    InputStatistics first = parts.get(0);
    int n = first.width();
    boolean withGram = first.gram.isPresent();
    long tokens = 0;
    double[] sumAbs = new double[n];
    double[] sumSquares = new double[n];
    float[] maxAbs = new float[n];
    for (InputStatistics part : parts) {
      if (!part.input.equals(first.input)
          || part.width() != n
          || part.gram.isPresent() != withGram) {
        throw new InputException(
            "Statistics of %s (%d channels%s) cannot be added to those of %s (%d channels%s): they describe different inputs. Calibrate again."
                .formatted(
                    part.input,
                    part.width(),
                    part.gram.isPresent() ? ", with Gram" : "",
                    first.input,
                    n,
                    withGram ? ", with Gram" : ""));
      }
      tokens += part.tokens;
      for (int j = 0; j < n; j++) {
        sumAbs[j] += part.sumAbs[j];
        sumSquares[j] += part.sumSquares[j];
        maxAbs[j] = Math.max(maxAbs[j], part.maxAbs[j]);
      }
    }
    Optional<Gram> gram =
        withGram ? Optional.of(Gram.of(foldGrams(first.input, parts))) : Optional.empty();
    return new InputStatistics(first.input, tokens, sumAbs, sumSquares, maxAbs, gram);
  }

  /** Row by row: two rows of memory beside the result. */
  private static INDArray foldGrams(String input, List<InputStatistics> parts) {
    int n = parts.get(0).width();
    INDArray result = Floats.uninitialized(n, n);
    List<INDArray> matrices =
        parts.stream().map(part -> part.gram.flatMap(Gram::matrix).orElseThrow()).toList();
    double[] sums = new double[n];
    float[] row = new float[n];
    for (int i = 0; i < n; i++) {
      java.util.Arrays.fill(sums, 0);
      for (INDArray matrix : matrices) {
        Floats.readRow(matrix, i, row);
        for (int j = 0; j < n; j++) {
          sums[j] += row[j];
        }
      }
      for (int j = 0; j < n; j++) {
        row[j] = (float) sums[j];
      }
      if (!Float.isFinite(row[i])) {
        result.close();
        throw nonFinite(input, "Gram diagonal " + i);
      }
      Floats.writeRow(result, i, row);
    }
    return result;
  }

  static NumericalException nonFinite(String input, String where) {
    return new NumericalException(
        "The statistics of input %s are not finite (%s): an activation is NaN, infinite or too large for F32 sums. Check the dense model on this calibration data, or leave the linears that read this input out."
            .formatted(input, where));
  }

  @Override
  public void close() {
    gram.ifPresent(Gram::close);
  }
}
