package io.shardpress.operators.compression;

/** The order in which a sweep visits the columns, and what its groups are. */
public enum ColumnOrder {
  /** As stored. */
  NATURAL,
  /** By falling Gram diagonal; groups stay neighbouring columns, so the file looks the same. */
  STATIC,
  /** By falling Gram diagonal; groups are runs of that order, so the file needs {@code g_idx}. */
  GROUP
}
