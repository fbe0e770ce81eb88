package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Improves the codes of a quantized weight, whose scales and zero points stay: coordinate descent
 * on {@code tr(Δ G Δᵀ)}, {@code Δ = W − Q} (Behdin et al., "QuantEase: Optimization-based
 * Quantization for Language Models", 2023). Column by column, in the order of the file, every code
 * becomes the one nearest to {@code q_j + (ΔG)_j / G_jj}, the best value given all other columns;
 * of two equally near codes the old one stays. Rows share nothing but the products with G, so that
 * slices of rows have the bits of the whole.
 *
 * <p>{@code ΔG} is multiplied anew for every block of columns, and inside a block kept current by
 * smaller products: about {@code 2·out·n²} operations a sweep. Panels of {@link Panel#ROWS} rows
 * are spread over the task's workers.
 *
 * @param sweeps the most passes over all columns; they end where none changes a code
 */
record CodeDescent(int sweeps, Zeros zeros) {

  CodeDescent {
    if (sweeps < 1) {
      throw new IllegalArgumentException(sweeps + " sweeps: at least one is needed");
    }
  }

  /**
   * Better codes.
   *
   * @param gains {@code [out]} by how much the undamped loss {@code Δ G Δᵀ} of each row fell; 0 for
   *     a row that kept its codes
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Improved(QuantizedWeight weight, double[] gains) {

    /** By how much {@code tr(Δ G Δᵀ)} fell. */
    double gain() {
      return Arrays.stream(gains).sum();
    }
  }

  /**
   * Off-heap bytes of {@link #improve} beside what it borrows, for {@code n} columns: for every
   * thread the errors Δ of a panel, {@code 4·1024·n}, and twice a block of columns.
   */
  static long nativeBytes(long rows, long in, int threads) {
    long panels = Math.min(threads, (rows + Panel.ROWS - 1) / Panel.ROWS);
    return Float.BYTES * Panel.ROWS * panels * (in + 2L * DescentPanel.BLOCK);
  }

  /**
   * Heap bytes of {@link #improve}, for {@code r} rows, {@code n} columns and {@code g} groups a
   * row: the new codes, {@code rn}, and for every thread the codes of a panel, {@code 1024·n},
   * twice where zeros are kept, its scales and zero points, {@code 8·1024·g}, and {@code 576n} to
   * fill it.
   */
  long heapBytes(long rows, long in, long groups, int threads) {
    long panels = Math.min(threads, (rows + Panel.ROWS - 1) / Panel.ROWS);
    long codes = (zeros == Zeros.KEEP ? 2 : 1) * in;
    return rows * in
        + panels * Panel.ROWS * (codes + 2 * groups * Float.BYTES)
        + panels * DescentPanel.fillBytes(in);
  }

  /**
   * Improves {@code start}. A row changes only if its loss falls by more than the rounding of the
   * products. Weights of inputs that no token excited keep their codes.
   *
   * @param dense F32 or BF16 {@code [out, n]}, finite
   * @param gram G, F32 {@code [n, n]}, both triangles
   * @return a weight that shares all but its codes with {@code start}
   */
  Improved improve(INDArray dense, QuantizedWeight start, INDArray gram) {
    if (Floats.rows(dense) != start.out()
        || Floats.columns(dense) != start.in()
        || Floats.rows(gram) != start.in()
        || Floats.columns(gram) != start.in()) {
      throw new IllegalArgumentException(
          "Codes [%d, %d], dense [%d, %d] and a Gram of [%d, %d] do not fit"
              .formatted(
                  start.out(),
                  start.in(),
                  Floats.rows(dense),
                  Floats.columns(dense),
                  Floats.rows(gram),
                  Floats.columns(gram)));
    }
    float[] diagonal = Gram.diagonalOf(gram);
    DescentPanel.Layer layer =
        new DescentPanel.Layer(
            dense,
            start,
            gram,
            diagonal,
            RowGain.roots(diagonal),
            start.codes().clone(),
            new double[start.out()]);
    Workers.forEach(
        (start.out() + Panel.ROWS - 1) / Panel.ROWS,
        index -> {
          try (DescentPanel panel = DescentPanel.of(layer, index, zeros)) {
            for (int sweep = 0; sweep < sweeps && panel.sweep(); sweep++) {}
            panel.finish();
          }
        });
    QuantizedWeight improved =
        new QuantizedWeight(
            start.scheme(),
            start.out(),
            start.in(),
            layer.codes(),
            start.scales(),
            start.zeroPoints(),
            start.groupOfColumn());
    return new Improved(improved, layer.gains());
  }
}
