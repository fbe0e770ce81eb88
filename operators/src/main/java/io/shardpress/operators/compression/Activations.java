package io.shardpress.operators.compression;

/** How the runtime treats a compressed linear's inputs; the weights do not depend on it. */
public enum Activations {
  /** 16 or 32 bit, as in the dense model. */
  NONE,
  /** Symmetric int8 with a scale per token, found while running. */
  DYNAMIC_INT8
}
