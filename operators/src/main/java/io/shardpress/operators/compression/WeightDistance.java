package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How far a compressed weight lies from the dense one.
 *
 * @param error {@code Σ (w − ŵ)²}
 * @param energy {@code Σ w²}
 * @param byColumn {@code [in]} the error of each column
 * @param energyByColumn {@code [in]} the energy of each column
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record WeightDistance(double error, double energy, double[] byColumn, double[] energyByColumn) {
  /** Rows in one part of the work. */
  private static final int PART = 512;

  /** Rows summed in F32 before they join the F64 sums: keeps the inner loops vectorized. */
  private static final int RUN = 16;

  static WeightDistance between(INDArray weight, CompressedWeight compressed) {
    int parts = (compressed.out() + PART - 1) / PART;
    double[][] errors = new double[parts][compressed.in()];
    double[][] energies = new double[parts][compressed.in()];
    Workers.forEach(
        parts,
        part -> {
          int end = Math.min(compressed.out(), (part + 1) * PART);
          for (int first = part * PART; first < end; first += RUN) {
            add(
                weight,
                compressed,
                first,
                Math.min(end, first + RUN),
                errors[part],
                energies[part]);
          }
        });
    double[] byColumn = new double[compressed.in()];
    double[] energyByColumn = new double[compressed.in()];
    double energy = 0;
    for (int part = 0; part < parts; part++) {
      for (int j = 0; j < byColumn.length; j++) {
        byColumn[j] += errors[part][j];
        energyByColumn[j] += energies[part][j];
        energy += energies[part][j];
      }
    }
    return new WeightDistance(Arrays.stream(byColumn).sum(), energy, byColumn, energyByColumn);
  }

  private static void add(
      INDArray weight,
      CompressedWeight compressed,
      int first,
      int end,
      double[] errors,
      double[] energies) {
    float[] dense = new float[errors.length];
    float[] rounded = new float[errors.length];
    float[] errorRun = new float[errors.length];
    float[] energyRun = new float[errors.length];
    for (int i = first; i < end; i++) {
      Floats.readRow(weight, i, dense);
      compressed.readRow(i, rounded);
      addRow(dense, rounded, errorRun, energyRun);
    }
    for (int j = 0; j < errors.length; j++) {
      errors[j] += errorRun[j];
      energies[j] += energyRun[j];
    }
  }

  private static void addRow(float[] dense, float[] rounded, float[] errors, float[] energies) {
    for (int j = 0; j < errors.length; j++) {
      float difference = dense[j] - rounded[j];
      errors[j] += difference * difference;
      energies[j] += dense[j] * dense[j];
    }
  }
}
