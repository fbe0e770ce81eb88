package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/**
 * Hears of executors that the system killed while they ran tasks of one job group, which leaves no
 * error of a task behind.
 */
final class LostExecutors extends SparkListener implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /**
   * What cluster managers say of a process that was too large: 137 is a kill from outside, 52 is
   * Spark's own for a full heap, 3 Java's; the last is what a driver sees before it knows.
   */
  private static final Pattern OF_MEMORY =
      Pattern.compile(
          "(?i)\\b(code|status)(:| is)? (137|52|3)\\b|OOM|memory limit"
              + "|containers exceeding thresholds");

  private final SparkContext spark;
  private final String group;
  private final Set<Integer> stages = new HashSet<>();
  private final List<Loss> losses = new ArrayList<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private int job = -1;

  /**
   * @param task index of the task among the job's
   * @param reason as the cluster manager gives it
   */
  record Loss(int task, String executor, String reason) {}

  private LostExecutors(SparkContext spark, String group) {
    this.spark = spark;
    this.group = group;
  }

  /** Listens until it is closed. */
  static LostExecutors during(SparkContext spark, String group) {
    LostExecutors listener = new LostExecutors(spark, group);
    spark.addSparkListener(listener);
    return listener;
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart start) {
    if (group.equals(start.properties().getProperty("spark.jobGroup.id"))) {
      job = start.jobId();
      start.stageIds().foreach(stage -> stages.add((Integer) stage));
    }
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    if (stages.contains(end.stageId()) && end.reason() instanceof ExecutorLostFailure lost) {
      String reason = lost.reason().isDefined() ? lost.reason().get() : "";
      losses.add(new Loss(end.taskInfo().index(), lost.execId(), reason));
    }
  }

  @Override
  public synchronized void onJobEnd(SparkListenerJobEnd end) {
    if (end.jobId() == job) {
      ended.countDown();
    }
  }

  /**
   * What the failure of the job means when an executor was lost for its size.
   *
   * @param work the job's tasks
   * @param budget of an executor
   */
  <R extends Serializable> Optional<RuntimeException> explain(
      String description, List<? extends Work<R>> work, MemoryBudget budget, Exception thrown) {
    if (!String.valueOf(thrown.getMessage()).contains("ExecutorLostFailure")) {
      return Optional.empty();
    }
    awaitEvents();
    return lastOfMemory()
        .map(loss -> message(description, work.get(loss.task()), budget, loss))
        .map(message -> new EnvironmentException(message, thrown));
  }

  /** Events come after the failure that they tell of, in their order: the job's end is the last. */
  private void awaitEvents() {
    try {
      ended.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized Optional<Loss> lastOfMemory() {
    return losses.stream()
        .filter(loss -> OF_MEMORY.matcher(loss.reason()).find())
        .reduce((before, after) -> after);
  }

  static String message(String description, Work<?> work, MemoryBudget budget, Loss loss) {
    TaskMemory need = work.memory();
    String subject =
        work.subject().isEmpty() ? "the job '%s'" : "%s in the job '%%s'".formatted(work.subject());
    long enough = Math.max(need.nativeBytes(), budget.taskBytes()) * 5 / 4;
    return "Executor %s was killed, as the system does with a process that is too large, while it ran %s: %s. Such a task needs about %s beside the heap, and an executor may become %s, of which the heap takes %s. %s"
        .formatted(
            loss.executor(),
            subject.formatted(description),
            loss.reason().strip().replaceAll("\\s+", " ").replaceAll("\\.+$", ""),
            MemoryBudget.text(need.nativeBytes()),
            MemoryBudget.text(budget.limitBytes()),
            MemoryBudget.text(budget.heapBytes()),
            budget.moreMemory(enough));
  }

  @Override
  public void close() {
    spark.removeSparkListener(this);
  }
}
