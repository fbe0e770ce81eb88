package io.shardpress.operators.compression;

import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Arrays;
import java.util.Collections;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The losses of a sweep. {@code tr(Δ G Δᵀ) = Σe² − λ‖Δ‖²}, with dead inputs out of Δ as they are
 * out of G: exact, and free, where the product would cost twice the sweep. A dead input is swept as
 * zero and costs nothing.
 *
 * @param blockSize columns between two updates of all later columns
 */
record SweepLoss(InputStatistics statistics, DampedFactor factor, int blockSize) {

  /**
   * {@code tr(Δ G Δᵀ)}.
   *
   * @param errors {@code Σe²}
   * @param byColumn {@code Σ Δ²} of each column
   */
  double undamped(double errors, double[] byColumn) {
    double squares = 0;
    for (int j = 0; j < byColumn.length; j++) {
      squares += factor.dead()[j] ? 0 : byColumn[j];
    }
    return Math.max(0, errors - factor.lambda() * squares);
  }

  /**
   * {@code tr(W G Wᵀ)}. Where the Gram is not in memory it is the loss of a sweep that rounds every
   * weight to zero, which needs the factor alone.
   *
   * @param energyByColumn {@code Σ W²} of each column
   */
  double energy(INDArray weight, double[] energyByColumn) {
    Gram gram = statistics.gram().orElseThrow();
    if (gram.matrix().isPresent()) {
      return new QuadraticForm(gram).energy(weight);
    }
    ColumnRule zeros = (panel, column, strip, index, chosen) -> Arrays.fill(chosen, 0);
    double[][] errors =
        new PanelFiller(weight, factor)
            .onPanels(
                panels ->
                    ColumnSweep.run(
                        panels,
                        Collections.nCopies(panels.size(), zeros),
                        factor.upper(),
                        ColumnSweep.blocks(energyByColumn.length, blockSize, 0),
                        0));
    double sum = Arrays.stream(errors).flatMapToDouble(Arrays::stream).sum();
    return undamped(sum, energyByColumn);
  }
}
