package io.shardpress.operators.compression;

/** What becomes of weights that are exactly zero when codes are improved. */
enum Zeros {
  /** They stay zero: the mask of a pruned weight. */
  KEEP,
  /** They may take any code. */
  FREE
}
