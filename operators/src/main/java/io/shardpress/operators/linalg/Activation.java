package io.shardpress.operators.linalg;

/** The nonlinearity of a feed-forward network. */
public enum Activation {
  SILU,
  /** With the error function. */
  GELU,
  /** The tanh approximation. */
  GELU_TANH,
  QUICK_GELU,
  RELU;

  /** Replaces {@code count} values from {@code from}. */
  public void apply(float[] values, int from, int count) {
    switch (this) {
      case SILU -> RowLoops.silu(values, from, count);
      case GELU -> RowLoops.gelu(values, from, count);
      case GELU_TANH -> RowLoops.geluTanh(values, from, count);
      case QUICK_GELU -> RowLoops.quickGelu(values, from, count);
      case RELU -> RowLoops.relu(values, from, count);
    }
  }
}
