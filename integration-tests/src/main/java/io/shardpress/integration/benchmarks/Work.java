package io.shardpress.integration.benchmarks;

import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.integration.models.LlamaShape;

/**
 * What a call does that is of use, whatever it computes besides.
 *
 * @param amount floating-point operations (a multiplication and an addition are two), or bytes
 */
record Work(double amount, Unit unit) {

  /** What work is counted in. */
  enum Unit {
    FLOP,
    BYTE
  }

  /** {@code [m, k] · [k, n]}. */
  static Work product(double m, double n, double k) {
    return flops(2 * m * n * k);
  }

  /** {@code xᵀx} of {@code [tokens, width]}: it is symmetric, so half of it. */
  static Work gram(double tokens, double width) {
    return flops(tokens * width * width);
  }

  /** The upper factor of the inverse of {@code [n, n]}: a Cholesky and a triangular inverse. */
  static Work factor(double n) {
    return flops(2.0 / 3 * n * n * n);
  }

  /** GPTQ of {@code [out, in]}: the factor, and the update of every later column by every one. */
  static Work gptq(double out, double in) {
    return flops(factor(in).amount + out * in * in);
  }

  /** One block over {@code tokens}: its linears, and attention to what is not in the future. */
  static Work block(LlamaShape shape, double tokens, double length) {
    double parameters =
        shape.blockTensors(0).stream()
            .filter(tensor -> tensor.shape().size() == 2)
            .mapToDouble(TensorSpec::elements)
            .sum();
    double pairs = tokens * (length + 1) / 2;
    return flops(2 * parameters * tokens + 4 * pairs * shape.heads() * shape.headSize());
  }

  static Work flops(double amount) {
    return new Work(amount, Unit.FLOP);
  }

  static Work bytes(double amount) {
    return new Work(amount, Unit.BYTE);
  }

  Work times(int count) {
    return new Work(amount * count, unit);
  }
}
