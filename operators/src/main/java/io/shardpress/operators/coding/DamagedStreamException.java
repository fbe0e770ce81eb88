package io.shardpress.operators.coding;

/** Coded bytes that no encoder has written; the caller knows which file they are of. */
public final class DamagedStreamException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DamagedStreamException(String what) {
    super(what);
  }
}
