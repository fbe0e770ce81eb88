package io.shardpress.jobs.model;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import java.io.Serializable;

/** A checkpoint by location: what a task carries instead of the checkpoint. */
public record ModelRef(HadoopStore store, Location location) implements Serializable {

  /** Opens it and checks every header, as a driver does once. */
  public OpenModel openWhole() {
    return OpenModel.of(Checkpoint.open(store, location));
  }

  /** Opens it for a task, reading only the headers of the shards it touches. */
  public OpenModel open() {
    return OpenModel.of(Checkpoint.reopen(store, location));
  }
}
