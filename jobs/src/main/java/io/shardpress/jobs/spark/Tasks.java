package io.shardpress.jobs.spark;

import io.shardpress.common.error.ShardpressException;
import io.shardpress.jobs.costs.TaskLog;
import io.shardpress.operators.linalg.KernelChoice;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.spark.JobExecutionStatus;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.JavaSparkStatusTracker;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/**
 * Runs independent pieces of work, one task each, in the order given (put the dearest first), and
 * tells the driver about each as it finishes. The first typed error cancels the rest and is thrown,
 * once the tasks that were running have ended.
 *
 * <p>A task begins when its process has the memory that it asks for. Where that is less than Spark
 * gives tasks for, and the cluster can do so, Spark is told to give fewer.
 *
 * <p>A task computes on as many threads as Spark has set aside for it ({@code spark.task.cpus}, one
 * by default), on more while cores of its executor have nothing to do, and with the kernels that
 * the driver has chosen.
 */
public final class Tasks {
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
  private static final Duration POLL = Duration.ofMillis(20);

  private final JavaSparkContext spark;
  private final KernelChoice kernels;
  private final KernelsUsed used;
  private final MemoryUsed memory;
  private final TaskLog log;
  private final ExecutorCores cores;
  private final MemoryBudget budget;

  public Tasks(JavaSparkContext spark) {
    this(spark, KernelChoice.AUTO, new KernelsUsed(), new MemoryUsed(), new TaskLog());
  }

  /**
   * @param kernels what tasks compute with; {@code AUTO} leaves it to each executor, unless this
   *     process has a system property that decides
   * @param used is told what they did compute with
   * @param memory is told how large their processes became
   * @param log is told what they cost
   */
  public Tasks(
      JavaSparkContext spark,
      KernelChoice kernels,
      KernelsUsed used,
      MemoryUsed memory,
      TaskLog log) {
    this.spark = spark;
    this.kernels = kernels.resolved();
    this.used = used;
    this.memory = memory;
    this.log = log;
    this.cores = ExecutorCores.of(spark.getConf());
    this.budget = MemoryBudget.of(spark.getConf());
    log.cores(cores.known(), spark.getConf().getInt("spark.task.cpus", 1));
  }

  /**
   * Runs all pieces and returns their results in the order of {@code work}.
   *
   * @param description shown by the Spark UI
   * @param onResult called on the driver as each piece finishes, in order of finishing
   */
  public <R extends Serializable> List<R> run(
      String description, List<? extends Work<R>> work, Consumer<R> onResult) {
    if (work.isEmpty()) {
      return List.of();
    }
    double start = log.now();
    String group = "shardpress-" + UUID.randomUUID();
    Collector<R> collector = new Collector<>(work.size(), onResult, group);
    spark.setJobGroup(group, description, true);
    try (LostExecutors lost = LostExecutors.during(spark.sc(), group)) {
      JavaRDD<Work<R>> pieces = spark.parallelize(new ArrayList<>(work), work.size());
      ClassTag<Attempt.Wire> tag = ClassTag$.MODULE$.apply(Attempt.Wire.class);
      RunPiece<R> runPiece = new RunPiece<>(kernels, cores);
      JavaRDD<Work<R>> tasks = TaskProfile.of(pieces, work, spark.getConf(), budget);
      try {
        spark.sc().runJob(tasks.rdd(), runPiece, indices(work.size()), collector, tag);
      } catch (Exception e) {
        awaitEnd(group);
        throw collector
            .failure()
            .or(() -> lost.explain(description, work, budget, e))
            .orElseGet(() -> TaskFailures.translate(description, e));
      }
    } catch (RuntimeException e) { // Spark may have been stopped before there was a job
      throw TaskFailures.translate(description, e);
    } finally {
      spark.clearJobGroup();
      ExecutorMemory.here().closeIdle(); // where tasks ran in this process
    }
    List<R> results = collector.results();
    log.job(description, work.get(0).kind(), start, collector.costs);
    return results;
  }

  public <R extends Serializable> List<R> run(String description, List<? extends Work<R>> work) {
    return run(description, work, result -> {});
  }

  /**
   * Waits for running tasks of a job that failed: they were told to stop, but native code and
   * storage do not hear of it at once, and what they still write must not appear after the caller
   * has cleaned up.
   */
  private void awaitEnd(String group) {
    long deadline = System.nanoTime() + LONGEST_WAIT.toNanos();
    try {
      while (isRunning(group) && System.nanoTime() < deadline) {
        Thread.sleep(POLL.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isRunning(String group) {
    JavaSparkStatusTracker status = spark.statusTracker();
    return Arrays.stream(status.getJobIdsForGroup(group))
        .mapToObj(status::getJobInfo)
        .filter(Objects::nonNull)
        .anyMatch(
            job ->
                job.status() == JobExecutionStatus.RUNNING
                    || Arrays.stream(job.stageIds())
                        .mapToObj(status::getStageInfo)
                        .anyMatch(stage -> stage != null && stage.numActiveTasks() > 0));
  }

  private static scala.collection.immutable.Seq<Object> indices(int count) {
    List<Object> indices = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      indices.add(i);
    }
    return CollectionConverters.asScala(indices).toSeq();
  }

  private static final class RunPiece<R extends Serializable>
      extends AbstractFunction2<TaskContext, scala.collection.Iterator<Work<R>>, Attempt.Wire>
      implements Serializable {
    private static final long serialVersionUID = 1L;

    private final KernelChoice kernels;
    private final ExecutorCores cores;

    RunPiece(KernelChoice kernels, ExecutorCores cores) {
      this.kernels = kernels;
      this.cores = cores;
    }

    @Override
    public Attempt.Wire apply(TaskContext context, scala.collection.Iterator<Work<R>> pieces) {
      int cpus = context.cpus();
      return Attempt.of(pieces.next(), cpus, cores.shared(cpus), kernels);
    }
  }

  private final class Collector<R extends Serializable>
      extends AbstractFunction2<Object, Attempt.Wire, BoxedUnit> {
    private final List<R> results;
    private final List<TaskLog.Task> costs;
    private final Consumer<R> onResult;
    private final String group;
    private final AtomicReference<ShardpressException> failure = new AtomicReference<>();

    Collector(int size, Consumer<R> onResult, String group) {
      this.results = new ArrayList<>(Collections.nCopies(size, null));
      this.costs = new ArrayList<>(Collections.nCopies(size, null));
      this.onResult = onResult;
      this.group = group;
    }

    @Override
    public BoxedUnit apply(Object partition, Attempt.Wire wire) {
      Attempt<R> attempt = wire.received();
      costs.set((Integer) partition, attempt.cost());
      attempt.kernels().ifPresent(description -> used.report(description, attempt.host()));
      memory.report(attempt.memory());
      attempt.value().ifPresent(value -> results.set((Integer) partition, value));
      attempt.value().ifPresent(onResult);
      if (attempt.failure().isPresent() && failure.compareAndSet(null, attempt.failure().get())) {
        spark.cancelJobGroup(group);
      }
      return BoxedUnit.UNIT;
    }

    Optional<RuntimeException> failure() {
      return Optional.ofNullable(failure.get());
    }

    List<R> results() {
      if (failure.get() != null) {
        throw failure.get();
      }
      return List.copyOf(results);
    }
  }
}
