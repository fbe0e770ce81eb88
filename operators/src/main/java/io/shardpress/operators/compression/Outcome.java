package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;

/** The one recorded end of a layer. Totals of these decide the run's exit code. */
public sealed interface Outcome {

  /** Why a layer failed. */
  enum Code {
    /** The weight holds NaN or infinities. */
    NONFINITE_WEIGHT,
    /** The Gram holds NaN or infinities. */
    NONFINITE_STATISTICS,
    /** A scale does not fit its stored type. */
    NONFINITE_SCALE,
    /** The sweep left F32's range. */
    NONFINITE_RESULT,
    /** No damping of the ladder makes the Gram positive definite. */
    NOT_POSITIVE_DEFINITE,
    /** No calibration token reached the input. */
    NO_TOKENS
  }

  /** As asked for. */
  record Compressed() implements Outcome {}

  /** As asked for, but with more damping than asked for. */
  record Recovered(double damping) implements Outcome {}

  /** Left as it is, on purpose. */
  record Copied(String why) implements Outcome {}

  /** Compressed by another method, which the settings allow. */
  record FellBack(String method, String why) implements Outcome {}

  /** Not compressed. */
  record Failed(Code code, String why) implements Outcome {
    static Failed scale(String module, DType scaleType) {
      return new Failed(
          Code.NONFINITE_SCALE,
          "%s: a scale does not fit %s. Ignore the module or choose another target."
              .formatted(module, scaleType));
    }
  }

  /** Whether the layer has a compressed weight. */
  default boolean hasWeight() {
    return !(this instanceof Copied || this instanceof Failed);
  }
}
