package io.shardpress.jobs.spark;

import java.io.Serializable;

/**
 * One independent piece of work on an executor. Implementations are records of ids and locations;
 * they hold no arrays.
 *
 * @param <R> what the driver learns: about a kilobyte of metadata
 */
public interface Work<R extends Serializable> extends Serializable {
  R run();

  /** What it needs while it runs. It begins when its process has that much. */
  default TaskMemory memory() {
    return TaskMemory.NONE;
  }

  /** What it works on, such as a layer, where the job's description does not say. */
  default String subject() {
    return "";
  }

  /** What sort of work this is: tasks of one kind cost alike in runs of other sizes. */
  default String kind() {
    return getClass().getSimpleName();
  }
}
