package io.shardpress.operators.model;

import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A llama of {@link TinyModels} written out in F64 loops, one sequence, as the papers have it. */
final class PlainLlama {
  private final TensorMap weights;
  private final int window;

  PlainLlama(TensorMap weights, int window) {
    this.weights = weights;
    this.window = window;
  }

  double[][] logits(long[] ids) {
    double[][] x = new double[ids.length][];
    double[][] table = matrix("model.embed_tokens.weight");
    for (int t = 0; t < ids.length; t++) {
      x[t] = table[(int) ids[t]].clone();
    }
    for (int block = 0; block < TinyModels.BLOCKS; block++) {
      x = add(x, attention(block, norm(x, TinyModels.layer(block, "input_layernorm.weight"))));
      x = add(x, mlp(block, norm(x, TinyModels.layer(block, "post_attention_layernorm.weight"))));
    }
    return linear(norm(x, "model.norm.weight"), "lm_head.weight");
  }

  private double[][] attention(int block, double[][] x) {
    double[][] q = linear(x, TinyModels.layer(block, "self_attn.q_proj.weight"));
    double[][] k = linear(x, TinyModels.layer(block, "self_attn.k_proj.weight"));
    double[][] v = linear(x, TinyModels.layer(block, "self_attn.v_proj.weight"));
    int size = TinyModels.HEAD_SIZE;
    double[][] context = new double[x.length][TinyModels.HEADS * size];
    for (int head = 0; head < TinyModels.HEADS; head++) {
      int shared = head / (TinyModels.HEADS / TinyModels.KEY_VALUE_HEADS);
      for (int t = 0; t < x.length; t++) {
        double[] query = rotated(q[t], head * size, t);
        double[] shares = new double[t + 1];
        double total = 0;
        for (int s = Math.max(0, t - window + 1); s <= t; s++) {
          shares[s] = Math.exp(dot(query, rotated(k[s], shared * size, s)) / Math.sqrt(size));
          total += shares[s];
        }
        for (int s = 0; s <= t; s++) {
          for (int i = 0; i < size; i++) {
            context[t][head * size + i] += shares[s] / total * v[s][shared * size + i];
          }
        }
      }
    }
    return linear(context, TinyModels.layer(block, "self_attn.o_proj.weight"));
  }

  private double[][] mlp(int block, double[][] x) {
    double[][] gate = linear(x, TinyModels.layer(block, "mlp.gate_proj.weight"));
    double[][] up = linear(x, TinyModels.layer(block, "mlp.up_proj.weight"));
    for (int t = 0; t < x.length; t++) {
      for (int i = 0; i < gate[t].length; i++) {
        gate[t][i] = gate[t][i] / (1 + Math.exp(-gate[t][i])) * up[t][i];
      }
    }
    return linear(gate, TinyModels.layer(block, "mlp.down_proj.weight"));
  }

  private static double[] rotated(double[] row, int from, int position) {
    int half = TinyModels.HEAD_SIZE / 2;
    double[] result = new double[2 * half];
    for (int i = 0; i < half; i++) {
      double angle = position * Math.pow(10000, -2.0 * i / TinyModels.HEAD_SIZE);
      double first = row[from + i];
      double second = row[from + half + i];
      result[i] = first * Math.cos(angle) - second * Math.sin(angle);
      result[half + i] = second * Math.cos(angle) + first * Math.sin(angle);
    }
    return result;
  }

  private double[][] norm(double[][] x, String tensor) {
    float[] weight = weights.vector(tensor);
    double[][] result = new double[x.length][weight.length];
    for (int t = 0; t < x.length; t++) {
      double root = Math.sqrt(dot(x[t], x[t]) / weight.length + 1e-5);
      for (int i = 0; i < weight.length; i++) {
        result[t][i] = x[t][i] / root * weight[i];
      }
    }
    return result;
  }

  private double[][] linear(double[][] x, String tensor) {
    double[][] weight = matrix(tensor);
    double[][] y = new double[x.length][weight.length];
    for (int t = 0; t < x.length; t++) {
      for (int o = 0; o < weight.length; o++) {
        y[t][o] = dot(x[t], weight[o]);
      }
    }
    return y;
  }

  private static double[][] add(double[][] a, double[][] b) {
    for (int t = 0; t < a.length; t++) {
      for (int i = 0; i < a[t].length; i++) {
        a[t][i] += b[t][i];
      }
    }
    return a;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private double[][] matrix(String tensor) {
    try (INDArray array = weights.matrix(tensor)) {
      double[][] rows = new double[Floats.rows(array)][Floats.columns(array)];
      float[] row = new float[Floats.columns(array)];
      for (int r = 0; r < rows.length; r++) {
        Floats.readRow(array, r, row);
        for (int c = 0; c < row.length; c++) {
          rows[r][c] = row[c];
        }
      }
      return rows;
    }
  }
}
