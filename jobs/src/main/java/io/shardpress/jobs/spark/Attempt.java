package io.shardpress.jobs.spark;

import io.shardpress.common.error.ShardpressException;
import java.io.Serializable;
import java.util.Optional;

/**
 * How a task ended. A typed error is a result, not a thrown exception: it would fail again, so
 * Spark must not retry it.
 */
record Attempt<R extends Serializable>(Optional<R> value, Optional<ShardpressException> failure) {

  static <R extends Serializable> Wire of(Work<R> work) {
    try {
      return new Wire(work.run(), null);
    } catch (ShardpressException e) {
      return new Wire(null, e);
    } catch (OutOfMemoryError e) {
      // As an Error it would end the whole process, which in local mode is the driver too. What
      // the task held is free by now, so Spark may try again, perhaps beside smaller neighbours.
      throw new OutOfTaskMemory(e);
    }
  }

  /** What travels; {@link Optional} does not serialize. */
  record Wire(Serializable value, ShardpressException failure) implements Serializable {
    @SuppressWarnings("unchecked")
    <R extends Serializable> Attempt<R> received() {
      return new Attempt<>(Optional.ofNullable((R) value), Optional.ofNullable(failure));
    }
  }
}
