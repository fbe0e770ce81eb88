package io.shardpress.operators.compression;

import java.io.Serializable;

/** How the weight that a step leaves is stored, whatever the format: as codes, or as numbers. */
public sealed interface Storage extends Serializable permits Scheme, Storage.Plain {

  /** As numbers of the weight's own type: what it was before any step, and what pruning leaves. */
  Storage PLAIN = new Plain();

  /** Refuses a linear with so many inputs when it cannot be stored this way. */
  void check(String module, long in);

  /** Bits of a stored weight, scales aside. */
  int bits(int weightBits);

  /** Numbers of the weight's own type. */
  record Plain() implements Storage {
    @Override
    public void check(String module, long in) {
      // any shape will do
    }

    @Override
    public int bits(int weightBits) {
      return weightBits;
    }

    /** For people. */
    @Override
    public String toString() {
      return "dense";
    }
  }
}
