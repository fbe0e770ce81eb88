package io.shardpress.jobs.data;

import io.shardpress.common.storage.Location;
import java.io.Serializable;

/**
 * One file of the data.
 *
 * @param index its place in the order of paths
 */
record DataFile(int index, Location location, DataFormat format) implements Serializable {
  private static final long serialVersionUID = 1L;
}
