package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.error.TransientStorageException;
import io.shardpress.jobs.costs.TaskLog;
import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.SharedCores;
import java.io.Serializable;
import java.util.Optional;
import org.apache.spark.SparkEnv;

/**
 * How a task ended. A typed error is a result, not a thrown exception: it would fail again, so
 * Spark must not retry it. Trouble with storage that may pass is the exception that Spark does
 * retry.
 *
 * @param kernels what the task computed with, if it did
 * @param host where it ran
 * @param memory of the process that it ran in
 * @param seconds wall time of the work, which a failed one does not tell
 */
record Attempt<R extends Serializable>(
    Optional<R> value,
    Optional<ShardpressException> failure,
    Optional<String> kernels,
    String host,
    ProcessMemory memory,
    double seconds) {

  /**
   * Runs {@code work} once its memory is there, on so many of the process's cores, with the kernels
   * chosen. While it waits for memory it holds no core.
   */
  static <R extends Serializable> Wire of(
      Work<R> work, int threads, SharedCores cores, KernelChoice kernels) {
    try {
      Kernels.Computed<Timed<R>> done =
          Kernels.with(
              kernels,
              () ->
                  ExecutorMemory.here()
                      .run(work.memory(), () -> cores.run(threads, () -> Timed.of(work))));
      return new Wire(
          done.value().value(),
          null,
          done.kernels().orElse(null),
          thisHost(),
          ProcessMemory.now(done.kernels().isPresent()),
          done.value().seconds());
    } catch (TransientStorageException e) {
      throw new TransientStorageException(here() + e.getMessage(), e); // for Spark to try again
    } catch (EnvironmentException e) {
      return failed(new EnvironmentException(here() + e.getMessage(), e));
    } catch (ShardpressException e) {
      return failed(e);
    } catch (OutOfMemoryError e) {
      // As an Error it would end the whole process, which in local mode is the driver too. What
      // the task held is free by now, so Spark may try again, perhaps beside smaller neighbours.
      throw OutOfTaskMemory.of(e, thisHost());
    } catch (LinkageError e) {
      if (OutOfTaskMemory.kept(e)) {
        throw OutOfTaskMemory.of(e, thisHost()); // while a library was starting
      }
      // This one too would end the process, and Spark would start the next to fail like it.
      return failed(
          new EnvironmentException(
              "%sA library cannot be loaded: %s. `shardpress doctor` on that host says which and why."
                  .formatted(here(), OutOfTaskMemory.root(e)),
              e));
    }
  }

  TaskLog.Task cost() {
    return new TaskLog.Task(seconds, memory.executor() + "@" + host);
  }

  private static Wire failed(ShardpressException failure) {
    return new Wire(null, failure, null, thisHost(), ProcessMemory.now(false), 0);
  }

  /** Without the wait for memory, or for a core that another task's part still runs on. */
  private record Timed<R extends Serializable>(R value, double seconds) {
    static <R extends Serializable> Timed<R> of(Work<R> work) {
      long start = System.nanoTime();
      R value = work.run();
      return new Timed<>(value, (System.nanoTime() - start) / 1e9);
    }
  }

  private static String here() {
    return SparkEnv.get().executorId().equals("driver") ? "" : "On host %s: ".formatted(thisHost());
  }

  private static String thisHost() {
    return SparkEnv.get().blockManager().blockManagerId().host();
  }

  /** What travels; {@link Optional} does not serialize. */
  record Wire(
      Serializable value,
      ShardpressException failure,
      String kernels,
      String host,
      ProcessMemory memory,
      double seconds)
      implements Serializable {
    @SuppressWarnings("unchecked")
    <R extends Serializable> Attempt<R> received() {
      return new Attempt<>(
          Optional.ofNullable((R) value),
          Optional.ofNullable(failure),
          Optional.ofNullable(kernels),
          host,
          memory,
          seconds);
    }
  }
}
