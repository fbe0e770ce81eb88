package io.shardpress.operators.model;

/** In what the linears of a forward pass compute; sums, norms and residuals are F32 in both. */
public enum Precision {
  /** Weights and inputs in F32. */
  F32,
  /**
   * Inputs of linears and of attention rounded to BF16; weights in BF16 where they are stored so.
   * What a 16-bit runtime computes, at several times the speed where the processor has BF16.
   */
  BF16
}
