package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.spark.MemoryBudget.Host;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.SparkException;
import org.apache.spark.TaskEndReason;
import org.apache.spark.executor.ExecutorMetrics;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.JobSucceeded$;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.StageInfo;
import org.apache.spark.scheduler.TaskInfo;
import org.apache.spark.scheduler.TaskLocality;
import org.apache.spark.scheduler.TaskLocation;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.RDDInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

@SparkTest
class LostExecutorsTest {
  private static final long GIBI = 1 << 30;
  private static final String GROUP = "group-7";
  private static final MemoryBudget BUDGET = new MemoryBudget(Host.EXECUTOR, 6 * GIBI, GIBI, 4);
  private static final List<Work<Integer>> WORK =
      List.of(new Solving("q_proj", GIBI), new Solving("down_proj", 5 * GIBI));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Command exited with code 137",
        "Container from a bad node: container_1 on host: h. Exit status: 137. Diagnostics: x",
        "Container killed by YARN for exceeding physical memory limits. 5.5 GB of 5.5 GB used.",
        "\nThe executor with id 3 exited with exit code 137(SIGKILL, possible container OOM).\n\n",
        "Executor heartbeat lost; exit code: 52",
        "Remote RPC client disassociated. Likely due to containers exceeding thresholds, or network"
            + " issues. Check driver logs for WARN messages.",
      })
  void explainsAnExecutorThatWasKilledForItsSize(String reason, SparkSession spark) {
    try (LostExecutors lost = LostExecutors.during(spark.sparkContext(), GROUP)) {
      begin(lost, GROUP);
      lost.onTaskEnd(end(11, 1, new ExecutorLostFailure("3", true, Option.apply(reason))));
      lost.onJobEnd(new SparkListenerJobEnd(4, 0, JobSucceeded$.MODULE$));

      Optional<RuntimeException> explained =
          lost.explain("compress all layers", WORK, BUDGET, aborted());
      assertThat(explained).isPresent();
      assertThat(explained.orElseThrow())
          .isInstanceOf(EnvironmentException.class)
          .hasMessageStartingWith(
              "Executor 3 was killed, as the system does with a process that is too large, while it"
                  + " ran down_proj in the job 'compress all layers': ")
          .hasMessageContaining(reason.strip().substring(0, 20))
          .hasMessageEndingWith(
              ". Such a task needs about 5.0 GiB beside the heap, and an executor may become 6.0"
                  + " GiB, of which the heap takes 1.0 GiB. Give executors more:"
                  + " spark.executor.memoryOverhead=8g.");
    }
  }

  @Test
  void leavesOtherLossesToSpark(SparkSession spark) {
    try (LostExecutors lost = LostExecutors.during(spark.sparkContext(), GROUP)) {
      begin(lost, GROUP);
      lost.onTaskEnd(
          end(11, 1, new ExecutorLostFailure("3", true, Option.apply("worker decommissioned"))));
      lost.onTaskEnd(end(12, 1, new ExecutorLostFailure("3", true, Option.apply("code 137"))));
      lost.onJobEnd(new SparkListenerJobEnd(4, 0, JobSucceeded$.MODULE$));
      assertThat(lost.explain("compress", WORK, BUDGET, aborted())).isEmpty();
    }
  }

  @Test
  void leavesOtherFailuresToTheirTasks(SparkSession spark) {
    try (LostExecutors lost = LostExecutors.during(spark.sparkContext(), GROUP)) {
      begin(lost, GROUP);
      lost.onTaskEnd(end(11, 1, new ExecutorLostFailure("3", true, Option.apply("code 137"))));
      lost.onJobEnd(new SparkListenerJobEnd(4, 0, JobSucceeded$.MODULE$));
      Exception other = new SparkException("Job aborted: java.lang.IllegalStateException: a bug");
      assertThat(lost.explain("compress", WORK, BUDGET, other)).isEmpty();
    }
  }

  @Test
  void doesNotListenToOtherJobs(SparkSession spark) {
    try (LostExecutors lost = LostExecutors.during(spark.sparkContext(), GROUP)) {
      begin(lost, GROUP);
      begin(lost, "another", 5, 12);
      lost.onTaskEnd(end(12, 0, new ExecutorLostFailure("3", true, Option.apply("code 137"))));
      lost.onJobEnd(new SparkListenerJobEnd(4, 0, JobSucceeded$.MODULE$));
      assertThat(lost.explain("compress", WORK, BUDGET, aborted())).isEmpty();
    }
  }

  private static SparkException aborted() {
    return new SparkException(
        "Job aborted due to stage failure: Task 1 in stage 11.0 failed 4 times, most recent"
            + " failure: Lost task 1.3 in stage 11.0 (TID 9) (host executor 3): ExecutorLostFailure"
            + " (executor 3 exited caused by one of the running tasks)");
  }

  private static void begin(LostExecutors lost, String group) {
    begin(lost, group, 4, 11);
  }

  private static void begin(LostExecutors lost, String group, int job, int stage) {
    Properties properties = new Properties();
    properties.setProperty("spark.jobGroup.id", group);
    lost.onJobStart(
        new SparkListenerJobStart(
            job, 0, CollectionConverters.asScala(List.of(stage(stage))).toSeq(), properties));
  }

  private static StageInfo stage(int id) {
    return new StageInfo(
        id,
        0,
        "solve",
        2,
        CollectionConverters.<RDDInfo>asScala(List.of()).toSeq(),
        CollectionConverters.<Object>asScala(List.of()).toSeq(),
        "",
        TaskMetrics.empty(),
        CollectionConverters.<Seq<TaskLocation>>asScala(List.of()).toSeq(),
        Option.empty(),
        0,
        false,
        0);
  }

  private static SparkListenerTaskEnd end(int stage, int index, TaskEndReason reason) {
    TaskInfo task = new TaskInfo(9, index, 0, index, 0, "3", "host", TaskLocality.ANY(), false);
    return new SparkListenerTaskEnd(
        stage, 0, "ResultTask", reason, task, new ExecutorMetrics(), TaskMetrics.empty());
  }

  private record Solving(String subject, long bytes) implements Work<Integer> {
    @Override
    public TaskMemory memory() {
      return TaskMemory.of(bytes, 0);
    }

    @Override
    public Integer run() {
      return 0;
    }
  }
}
