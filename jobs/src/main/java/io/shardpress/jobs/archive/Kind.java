package io.shardpress.jobs.archive;

import java.util.Locale;

/** What bytes of a checkpoint are, for its report. */
public enum Kind {
  /** Integers that stand for weights. */
  CODES,
  /** Which codes or numbers are not zero; no bytes of the checkpoint are theirs alone. */
  MASKS,
  /** Numbers: scales, embeddings, weights that were not quantized. */
  FLOATS,
  /** Headers, other tensors, all other files; in an archive also its directories. */
  OTHER;

  String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
