package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Conjugate gradients on some neighbouring rows of a layer, see {@link MaskedRefit}. One row after
 * another takes its step between two products of all. Always the same number of rows, missing ones
 * as zeros: products then have equal shapes wherever a layer was cut, and equal bits for every row.
 *
 * <p>The iterates are the rows of the result. Used by one thread.
 */
final class RefitPanel implements AutoCloseable {
  private static final int ROWS = MaskedRefit.ROWS;

  /**
   * What all panels of a layer share.
   *
   * @param inverses {@code 1/H_jj}, 0 for dead inputs
   * @param roots {@code √G_jj}
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Layer(
      MaskedRefit settings,
      INDArray dense,
      INDArray pruned,
      INDArray gram,
      float[] inverses,
      float[] roots,
      DType stored,
      RefittedWeight result) {}

  private final Layer layer;
  private final int first;
  private final int rows;
  private final int in;
  private final float lambda;

  /** {@code ((W − D) H)} on the kept weights. */
  private final INDArray residual;

  private final INDArray direction;

  /** {@code direction · G}. */
  private final INDArray product;

  /** {@code Σ r_j² / H_jj} of the rows that go on; 0 for those that are done. */
  private final double[] sizes = new double[ROWS];

  private final double[] enough = new double[ROWS];

  // One row at a time.
  private final float[] iterate;
  private final float[] kept;
  private final float[] r;
  private final float[] p;
  private final float[] q;
  private final float[] z;

  RefitPanel(Layer layer, int first, int rows) {
    this.layer = layer;
    this.first = first;
    this.rows = rows;
    this.in = layer.inverses().length;
    this.lambda = (float) layer.settings().lambda();
    residual = Floats.uninitialized(ROWS, in);
    direction = Floats.zeros(ROWS, in);
    product = Floats.uninitialized(ROWS, in);
    iterate = new float[in];
    kept = new float[in];
    r = new float[in];
    p = new float[in];
    q = new float[in];
    z = new float[in];
  }

  void solve() {
    begin();
    for (int i = 0; i < layer.settings().iterations() && anyGoesOn(); i++) {
      multiply();
      for (int row = 0; row < rows; row++) {
        if (sizes[row] > 0) {
          step(row);
        }
      }
    }
    end();
  }

  private boolean anyGoesOn() {
    return Arrays.stream(sizes).anyMatch(size -> size > 0);
  }

  private void multiply() {
    Products.times(Block.all(direction), Block.all(layer.gram()), Block.all(product));
  }

  /** Residuals, first directions, and the losses that are to fall. */
  private void begin() {
    for (int row = 0; row < rows; row++) {
      readPruned(row, iterate);
      Floats.writeRow(layer.result().weight(), first + row, iterate);
      Floats.readRow(layer.dense(), first + row, p);
      for (int j = 0; j < in; j++) {
        p[j] -= iterate[j];
      }
      Floats.writeRow(direction, row, p);
    }
    multiply();
    double share = layer.settings().tolerance() * layer.settings().tolerance();
    for (int row = 0; row < rows; row++) {
      Floats.readRow(direction, row, p);
      Floats.readRow(product, row, q);
      layer.result().before()[first + row] = RowGain.dot(p, q);
      readKept(row);
      for (int j = 0; j < in; j++) {
        r[j] = kept[j] * (q[j] + lambda * p[j]);
        z[j] = r[j] * layer.inverses()[j];
      }
      sizes[row] = RowGain.dot(r, z);
      enough[row] = share * sizes[row];
      Floats.writeRow(residual, row, r);
      Floats.writeRow(direction, row, z);
    }
  }

  /**
   * {@code α = r·z / p·Hp}, {@code D += αp}, {@code r −= αHp}, {@code p ← z + βp}. A row along
   * whose direction the loss has no curvature, or only that of rounding errors, is done.
   */
  private void step(int row) {
    Floats.readRow(direction, row, p);
    Floats.readRow(product, row, q);
    for (int j = 0; j < in; j++) {
      q[j] += lambda * p[j];
    }
    double curvature = RowGain.dot(p, q);
    double alpha = sizes[row] / curvature;
    if (!(curvature > 0 && alpha < Float.MAX_VALUE)) {
      sizes[row] = 0;
      return;
    }
    Floats.readRow(layer.result().weight(), first + row, iterate);
    Floats.readRow(residual, row, r);
    readKept(row);
    advance((float) alpha);
    Floats.writeRow(layer.result().weight(), first + row, iterate);
    double size = RowGain.dot(r, z);
    if (!(size > enough[row])) {
      sizes[row] = 0;
      return;
    }
    float beta = (float) (size / sizes[row]);
    for (int j = 0; j < in; j++) {
      p[j] = z[j] + beta * p[j];
    }
    sizes[row] = size;
    Floats.writeRow(residual, row, r);
    Floats.writeRow(direction, row, p);
  }

  private void advance(float alpha) {
    float[] inverses = layer.inverses();
    for (int j = 0; j < in; j++) {
      iterate[j] += alpha * p[j];
    }
    for (int j = 0; j < in; j++) {
      r[j] -= alpha * q[j] * kept[j];
    }
    for (int j = 0; j < in; j++) {
      z[j] = r[j] * inverses[j];
    }
  }

  /** Rounds the result, and takes back the rows that gain nothing. */
  private void end() {
    for (int row = 0; row < rows; row++) {
      Floats.readRow(layer.result().weight(), first + row, iterate);
      round(iterate);
      Floats.writeRow(layer.result().weight(), first + row, iterate);
      readPruned(row, r);
      Floats.readRow(layer.dense(), first + row, p);
      for (int j = 0; j < in; j++) {
        p[j] = (p[j] - r[j]) + (p[j] - iterate[j]);
      }
      Floats.writeRow(direction, row, p);
    }
    multiply();
    for (int row = 0; row < rows; row++) {
      readPruned(row, r);
      Floats.readRow(layer.result().weight(), first + row, iterate);
      Floats.readRow(direction, row, p);
      Floats.readRow(product, row, q);
      double gain = gain();
      if (gain > 0) {
        layer.result().gains()[first + row] = gain;
      } else {
        Floats.writeRow(layer.result().weight(), first + row, r);
      }
    }
  }

  /** How far the loss falls from {@code r} to {@code iterate}; 0 where that is not certain. */
  private double gain() {
    float[] roots = layer.roots();
    double movedSquares = 0;
    double reach = 0;
    for (int j = 0; j < in; j++) {
      z[j] = iterate[j] - r[j];
      double moved = z[j] * roots[j];
      movedSquares += moved * moved;
      reach += Math.abs(p[j] * roots[j]);
    }
    double gain = RowGain.dot(z, q);
    return RowGain.isCertain(gain, movedSquares * reach * reach) ? gain : 0;
  }

  /** The pruned row as it would be stored. */
  private void readPruned(int row, float[] into) {
    Floats.readRow(layer.pruned(), first + row, into);
    round(into);
  }

  /** Ones where the equations have an unknown, in {@code kept}. */
  private void readKept(int row) {
    Floats.readRow(layer.pruned(), first + row, kept);
    for (int j = 0; j < in; j++) {
      kept[j] = kept[j] != 0 && layer.inverses()[j] > 0 ? 1 : 0;
    }
  }

  /** To the stored type; a negative zero becomes a positive one. */
  private void round(float[] values) {
    for (int j = 0; j < in; j++) {
      values[j] = FloatCodec.roundTo(layer.stored(), values[j]) + 0f;
    }
  }

  @Override
  public void close() {
    residual.close();
    direction.close();
    product.close();
  }
}
