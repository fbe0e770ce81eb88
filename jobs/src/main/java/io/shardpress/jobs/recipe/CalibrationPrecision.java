package io.shardpress.jobs.recipe;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.model.Precision;
import java.util.Collection;

/** In what the calibration's forward pass and its Grams are computed. */
public enum CalibrationPrecision {
  /** BF16 for weights that are all stored in BF16, else F32. */
  AUTO,
  BF16,
  F32;

  /** What that is for linears stored in these types; never depends on the machine. */
  public Precision forWeights(Collection<DType> stored) {
    return switch (this) {
      case BF16 -> Precision.BF16;
      case F32 -> Precision.F32;
      case AUTO ->
          stored.stream().allMatch(type -> type == DType.BF16) ? Precision.BF16 : Precision.F32;
    };
  }
}
