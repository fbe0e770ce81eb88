package io.shardpress.operators.linalg;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The reference: plain loops with F64 sums. Correct everywhere, fast nowhere; used where no native
 * library loads, and by the tests.
 */
final class JavaKernels implements MatrixKernels {

  @Override
  public String description() {
    return "java loops, 1 thread per call";
  }

  @Override
  public boolean multipliesBf16() {
    return false;
  }

  @Override
  public void multiply(Form formA, Block a, Form formB, Block b, Update update, Block c) {
    int n = c.columns();
    float[] left = new float[formA == Form.PLAIN ? a.columns() : a.rows()];
    float[][] right = new float[n][left.length];
    for (int j = 0; j < n; j++) {
      vector(formB == Form.TRANSPOSED, b, j, right[j]);
    }
    FloatPointer target = (FloatPointer) c.pointer();
    for (int i = 0; i < c.rows(); i++) {
      vector(formA == Form.PLAIN, a, i, left);
      for (int j = 0; j < n; j++) {
        long at = (long) i * c.stride() + j;
        double product = dot(left, right[j]);
        target.put(
            at,
            (float)
                switch (update) {
                  case SET -> product;
                  case ADD -> target.get(at) + product;
                  case SUBTRACT -> target.get(at) - product;
                });
      }
    }
  }

  @Override
  public void gated(Block a, Block b, Activation activation, Block factors, Block c) {
    float[] row = new float[c.columns()];
    float[] by = new float[row.length];
    try (INDArray wideA = Floats.uninitialized(a.rows(), a.columns());
        INDArray wideB = Floats.uninitialized(b.rows(), b.columns());
        INDArray products = Floats.uninitialized(c.rows(), c.columns())) {
      widen(a, Block.all(wideA));
      widen(b, Block.all(wideB));
      multiply(
          Form.PLAIN,
          Block.all(wideA),
          Form.TRANSPOSED,
          Block.all(wideB),
          Update.SET,
          Block.all(products));
      for (int i = 0; i < c.rows(); i++) {
        Floats.readRow(products, i, row);
        activation.apply(row, 0, row.length);
        Floats.read(factors.row(i), by);
        RowLoops.multiply(row, 0, by, 0, row.length);
        Floats.writeRow(products, i, row);
      }
      round(Block.all(products), c);
    }
  }

  @Override
  public void round(Block floats, Block bfloats) {
    float[] from = new float[floats.columns()];
    short[] to = new short[from.length];
    ShortPointer target = (ShortPointer) bfloats.pointer();
    for (int row = 0; row < floats.rows(); row++) {
      Floats.read(floats.row(row), from);
      for (int j = 0; j < to.length; j++) {
        to[j] = BFloats.nearest(from[j]);
      }
      target.position((long) row * bfloats.stride()).put(to, 0, to.length);
    }
  }

  @Override
  public void widen(Block bfloats, Block floats) {
    float[] row = new float[bfloats.columns()];
    for (int i = 0; i < bfloats.rows(); i++) {
      Floats.read(bfloats.row(i), row);
      Floats.write(row, floats.row(i));
    }
  }

  @Override
  public void transpose(Block bfloats, Block into) {
    short[] row = new short[bfloats.columns()];
    ShortPointer target = (ShortPointer) into.pointer();
    for (int i = 0; i < bfloats.rows(); i++) {
      ((ShortPointer) bfloats.row(i).pointer()).get(row, 0, row.length);
      for (int j = 0; j < row.length; j++) {
        target.put((long) j * into.stride() + i, row[j]);
      }
    }
  }

  @Override
  public void softmax(Block from, Block into) {
    float[] row = new float[from.columns()];
    short[] bits = new short[row.length];
    for (int i = 0; i < from.rows(); i++) {
      Floats.read(from.row(i), row);
      RowLoops.softmax(row, 0, row.length);
      if (BFloats.isBf16(into.matrix())) {
        for (int j = 0; j < row.length; j++) {
          bits[j] = BFloats.nearest(row[j]);
        }
        ((ShortPointer) into.row(i).pointer()).put(bits, 0, bits.length);
      } else {
        Floats.write(row, into.row(i));
      }
    }
  }

  @Override
  public int choleskyLower(int n, FloatPointer a) {
    double[][] l = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = a.get((long) i * n + j);
        for (int k = 0; k < j; k++) {
          sum -= l[i][k] * l[j][k];
        }
        if (i == j && !(sum > 0)) {
          return i + 1;
        }
        l[i][j] = i == j ? Math.sqrt(sum) : sum / l[j][j];
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        a.put((long) i * n + j, (float) l[i][j]);
      }
    }
    return 0;
  }

  @Override
  public void invertLower(int n, FloatPointer a) {
    double[][] inverse = new double[n][n];
    for (int column = 0; column < n; column++) {
      for (int i = column; i < n; i++) {
        double sum = i == column ? 1 : 0;
        for (int k = column; k < i; k++) {
          sum -= a.get((long) i * n + k) * inverse[k][column];
        }
        inverse[i][column] = sum / a.get((long) i * n + i);
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        a.put((long) i * n + j, (float) inverse[i][j]);
      }
    }
  }

  @Override
  public void symmetricEigen(int n, double[] a, double[] values) {
    Jacobi.eigen(n, a, values);
  }

  @Override
  public void singularValues(int m, int n, double[] a, double[] u, double[] values, double[] vt) {
    Jacobi.singular(m, n, a, u, values, vt);
  }

  /** Row {@code index} of a block where {@code row}, else column {@code index}. */
  private static void vector(boolean row, Block block, int index, float[] into) {
    FloatPointer matrix = (FloatPointer) block.pointer();
    if (row) {
      matrix.position((long) index * block.stride()).get(into, 0, into.length);
    } else {
      for (int i = 0; i < into.length; i++) {
        into[i] = matrix.get((long) i * block.stride() + index);
      }
    }
  }

  private static double dot(float[] left, float[] right) {
    double sum = 0;
    for (int i = 0; i < left.length; i++) {
      sum += (double) left[i] * right[i];
    }
    return sum;
  }
}
