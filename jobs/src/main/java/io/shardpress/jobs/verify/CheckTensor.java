package io.shardpress.jobs.verify;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.spark.Work;
import io.shardpress.operators.linalg.Floats;
import java.io.Serializable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Compares one tensor of the source with what the published checkpoint holds in its place. */
public record CheckTensor(ModelRef model, ModelRef source, String name)
    implements Work<CheckTensor.Checked> {

  /**
   * @param compressed whether codes stand in the tensor's place
   * @param error {@code Σ(w − q)² / Σw²}; 0 for a tensor that was copied
   */
  public record Checked(String name, boolean compressed, double error) implements Serializable {}

  @Override
  public Checked run() {
    OpenModel dense = source.open();
    OpenModel published = model.open();
    Checkpoint original = dense.checkpoint();
    Checkpoint copy = published.checkpoint();
    if (copy.contains(name) && copy.spec(name).equals(original.spec(name))) {
      // By bytes: a tensor may hold values that are no numbers, or be of a type without a decoder.
      if (copy.tensor(name).data().equals(original.tensor(name).data())) {
        return new Checked(name, false, 0);
      }
      if (published.isCompressed()) {
        throw new InputException(
            "%s in %s differs from the source, although it was not compressed. Check that --source is the original, or run compress again."
                .formatted(name, model.location()));
      }
    }
    try (INDArray expected = dense.weights().matrix(name);
        INDArray found = published.weights().matrix(name)) {
      if (Floats.rows(expected) != Floats.rows(found)
          || Floats.columns(expected) != Floats.columns(found)) {
        throw new InputException(
            "%s is [%d, %d] in %s but [%d, %d] in the source. Check that --source is the original."
                .formatted(
                    name,
                    Floats.rows(found),
                    Floats.columns(found),
                    model.location(),
                    Floats.rows(expected),
                    Floats.columns(expected)));
      }
      double error = relativeError(expected, found);
      if (!(error < 1)) {
        throw new InputException(
            "%s in %s has nothing to do with the source: its error is %.3g of its energy. Check that --source is the original, or run compress again."
                .formatted(name, model.location(), error));
      }
      return new Checked(name, error > 0, error);
    }
  }

  private static double relativeError(INDArray expected, INDArray found) {
    float[] left = new float[Floats.columns(expected)];
    float[] right = new float[left.length];
    double error = 0;
    double energy = 0;
    for (int row = 0; row < Floats.rows(expected); row++) {
      Floats.readRow(expected, row, left);
      Floats.readRow(found, row, right);
      for (int j = 0; j < left.length; j++) {
        double difference = (double) left[j] - right[j];
        error += difference * difference;
        energy += (double) left[j] * left[j];
      }
    }
    return error == 0 ? 0 : error / energy;
  }
}
