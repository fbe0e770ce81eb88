package io.shardpress.integration.faults;

/** What a file system is asked for. A test of a path's existence is a status. */
public enum Operation {
  OPEN,
  READ,
  CREATE,
  WRITE,
  CLOSE,
  LIST,
  STATUS,
  DELETE,
  RENAME,
  MKDIRS
}
