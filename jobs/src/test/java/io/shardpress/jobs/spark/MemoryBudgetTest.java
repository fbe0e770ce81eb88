package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.jobs.spark.MemoryBudget.Host;
import io.shardpress.jobs.spark.TaskMemory.Shared;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryBudgetTest {
  private static final long MEBI = 1 << 20;
  private static final long GIBI = 1 << 30;

  @Test
  void anExecutorHasWhatSparkGivesItLessHeapAndJava() {
    MemoryBudget budget =
        MemoryBudget.of(
            conf(
                "spark.master", "yarn",
                "spark.executor.memory", "2g",
                "spark.executor.memoryOverhead", "6g",
                "spark.executor.cores", "4",
                "spark.task.cpus", "2"));

    assertThat(budget.host()).isEqualTo(Host.EXECUTOR);
    assertThat(budget.slots()).isEqualTo(2);
    assertThat(budget.heapBytes()).isEqualTo(2 * GIBI);
    assertThat(budget.taskBytes())
        .isEqualTo(8 * GIBI - 8 * GIBI / 20 - 2 * GIBI - MemoryBudget.BASE_BYTES);
  }

  @Test
  void anExecutorsOwnOptionsSayHowLargeItMayBecome() {
    MemoryBudget budget =
        MemoryBudget.of(
            conf(
                "spark.master", "spark://host",
                "spark.executor.extraJavaOptions",
                    "-Xlog:gc -Dorg.bytedeco.javacpp.maxPhysicalBytes=7g -Dx=y"));
    assertThat(budget.limitBytes()).isEqualTo(7 * GIBI);
    assertThat(budget.slots()).as("a worker gives what it has").isZero();
  }

  @Test
  void whereTasksRunInThisProcessItIsThisProcess() {
    MemoryBudget budget = MemoryBudget.of(conf("spark.master", "local[3,2]"));
    assertThat(budget.host()).isEqualTo(Host.THIS_PROCESS);
    assertThat(budget.slots()).isEqualTo(3);
    assertThat(budget.heapBytes()).isGreaterThanOrEqualTo(Runtime.getRuntime().maxMemory());
    assertThat(budget.limitBytes()).isEqualTo(MemoryBudget.here().limitBytes());
  }

  @ParameterizedTest(name = "{0} MiB own, {1} shared, {2} of heap: {3} at once")
  @CsvSource({
    "0,    0,    0,   8", // as many as cores
    "100,  0,    0,   8",
    "500,  0,    0,   4", // 2 GiB for arrays
    "500,  1000, 0,   2",
    "10,   0,    200, 3", // 648 MiB of heap
    "9000, 0,    0,   1", // one at least
    "10,   9000, 0,   1",
  })
  void asManyTasksRunAsFit(long own, long shared, long heap, int atOnce) {
    MemoryBudget budget =
        new MemoryBudget(Host.EXECUTOR, 3 * GIBI + MemoryBudget.BASE_BYTES, GIBI, 8);
    TaskMemory need =
        new TaskMemory(
            own * MEBI,
            heap * MEBI,
            shared == 0 ? Optional.empty() : Optional.of(new Shared("k", shared * MEBI)));
    assertThat(budget.tasksAtOnce(need)).isEqualTo(atOnce);
    assertThat(budget.plannedBytes(need))
        .isEqualTo(GIBI + MemoryBudget.BASE_BYTES + (atOnce * own + shared) * MEBI);
  }

  @Test
  void thisProcessIsToldAboutMachineAndHeap() {
    MemoryBudget budget = new MemoryBudget(Host.THIS_PROCESS, 4 * GIBI, GIBI, 2);
    TaskMemory need =
        new TaskMemory(2 * GIBI, 2 * GIBI, Optional.of(new Shared("factor", 3 * GIBI)));

    assertThat(budget.tooSmall("down_proj", need))
        .contains(
            "down_proj needs 5.0 GiB beside the heap (3.0 GiB of it in common with its other"
                + " tasks), and this process has 2.6 GiB: it may become 4.0 GiB, less 1.0 GiB of"
                + " heap and 416 MiB of Java and libraries. Run on a machine or in a container of"
                + " 7 GiB, give less to the heap (SHARDPRESS_JAVA_OPTS=-Xmx1g), or run on a"
                + " cluster.");
    assertThat(budget.heapTooSmall("down_proj", need))
        .contains(
            "down_proj needs 2.0 GiB of heap, and this process has 648 MiB for tasks. Give it more:"
                + " SHARDPRESS_JAVA_OPTS=-Xmx3g, or --driver-memory 3g.");
  }

  @Test
  void whatFitsIsNotRefused() {
    MemoryBudget budget = new MemoryBudget(Host.EXECUTOR, 4 * GIBI, GIBI, 2);
    TaskMemory exactly = TaskMemory.of(budget.taskBytes(), budget.taskHeapBytes());
    assertThat(budget.tooSmall("x", exactly)).isEmpty();
    assertThat(budget.heapTooSmall("x", exactly)).isEmpty();
    TaskMemory more = TaskMemory.of(budget.taskBytes() + 1, budget.taskHeapBytes() + 1);
    assertThat(budget.tooSmall("x", more)).isPresent();
    assertThat(budget.heapTooSmall("x", more)).isPresent();
    budget.require("x", exactly);
    assertThatThrownBy(() -> budget.require("x", more))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageStartingWith("x needs ");
  }

  @ParameterizedTest
  @CsvSource({"1", "300", "1000", "5000", "20000", "100000"})
  void theSettingsOfTheMessageSuffice(long mebibytes) {
    MemoryBudget small = MemoryBudget.of(conf("spark.master", "yarn"));
    String remedy = small.moreMemory(small.taskBytes() + mebibytes * MEBI);
    assertThat(remedy).matches("Give executors more: spark.executor.memoryOverhead=\\d+g\\.");
    MemoryBudget larger =
        MemoryBudget.of(
            conf(
                "spark.master",
                "yarn",
                "spark.executor.memoryOverhead",
                remedy.replaceAll(".*=|\\.$", "")));
    assertThat(larger.taskBytes())
        .isBetween(mebibytes * MEBI, mebibytes * MEBI * 20 / 19 + 3 * GIBI);
  }

  private static SparkConf conf(String... settings) {
    SparkConf conf = new SparkConf(false);
    for (int i = 0; i < settings.length; i += 2) {
      conf.set(settings[i], settings[i + 1]);
    }
    return conf;
  }
}
