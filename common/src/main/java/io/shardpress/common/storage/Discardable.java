package io.shardpress.common.storage;

/**
 * A file that is being written and can be given up. Closing an unfinished one would make the part
 * of it visible, on an object store even in the place of a whole file that another writer put
 * there.
 */
public interface Discardable {

  /** Ends without the file where the storage can, and closes it as it is where it cannot. */
  void discard();
}
