package io.shardpress.operators.compression;

/** From which weights a sweep takes the scale of a group. */
public enum ScaleSource {
  /** {@code original} for the static order, {@code updated} for the others. */
  AUTO,
  /** The dense weights, before the sweep. */
  ORIGINAL,
  /**
   * The weights as corrected by the columns before the group, when the sweep reaches it. One scale
   * per row then comes from the dense row with its dead inputs, as in the published code.
   */
  UPDATED
}
