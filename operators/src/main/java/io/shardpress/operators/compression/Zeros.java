package io.shardpress.operators.compression;

/** What becomes of weights that are exactly zero when what a step left is improved. */
public enum Zeros {
  /** They stay zero: the mask of a pruned weight. */
  KEEP,
  /** They may take any code. */
  FREE
}
