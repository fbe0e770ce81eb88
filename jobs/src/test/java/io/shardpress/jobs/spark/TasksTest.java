package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.TransientStorageException;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.costs.TaskLog;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Kernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SparkTest
class TasksTest {
  @TempDir private Path folder;

  @Test
  void returnsResultsInTheOrderOfTheWork(SparkSession spark) {
    List<Integer> finished = new ArrayList<>();
    List<Integer> results = tasks(spark).run("squares", squares(20), finished::add);

    assertThat(results)
        .containsExactlyElementsOf(IntStream.range(0, 20).map(i -> i * i).boxed().toList());
    assertThat(finished).containsExactlyInAnyOrderElementsOf(results);
  }

  @Test
  void runsNothingWhenThereIsNothing(SparkSession spark) {
    assertThat(tasks(spark).run("nothing", List.<Work<Integer>>of())).isEmpty();
  }

  @Test
  void runsEachPieceAsATaskOfItsOwn(SparkSession spark) {
    List<Work<Integer>> work = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      work.add(() -> TaskContext.get().partitionId());
    }
    assertThat(tasks(spark).run("partitions", work)).containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void throwsTypedErrorsAsTheyAreWithoutARetry(SparkSession spark) {
    String at = folder.toString();
    Work<Integer> refused =
        () -> {
          mark(at, "refused");
          throw new InputException("The layer is wrong. Mend it.");
        };

    assertThatThrownBy(() -> tasks(spark).run("refused", List.of(refused)))
        .isInstanceOf(InputException.class)
        .hasMessage("The layer is wrong. Mend it.");
    assertThat(marks(at, "refused")).isEqualTo(1);
  }

  @Test
  void cancelsTheRestAtTheFirstTypedError(SparkSession spark) {
    String at = folder.toString();
    List<Work<Integer>> work = new ArrayList<>();
    work.add(
        () -> {
          throw new InputException("first");
        });
    for (int i = 0; i < 200; i++) {
      work.add(
          () -> {
            mark(at, "rest");
            return awaitInterruption();
          });
    }
    assertThatThrownBy(() -> tasks(spark).run("cancelled", work))
        .isInstanceOf(InputException.class)
        .hasMessage("first");
    assertThat(marks(at, "rest")).isLessThan(200);
  }

  @Test
  void waitsUntilCancelledTasksHaveEnded(SparkSession spark) {
    String at = folder.toString();
    List<Work<Integer>> work =
        List.of(
            () -> {
              mark(at, "started");
              // Native code does not hear of an interruption either.
              long end = System.nanoTime() + 700_000_000L;
              while (System.nanoTime() < end) {
                Thread.onSpinWait();
              }
              mark(at, "late");
              return 1;
            },
            () -> {
              while (marks(at, "started") == 0) {
                Thread.onSpinWait();
              }
              throw new InputException("stop");
            });

    assertThatThrownBy(() -> tasks(spark).run("late writer", work))
        .isInstanceOf(InputException.class)
        .hasMessage("stop");
    assertThat(marks(at, "late")).as("written before the job has returned").isEqualTo(1);
  }

  @Test
  void retriesWhatMayWorkTheNextTime(SparkSession spark) {
    String at = folder.toString();
    Work<Integer> flaky =
        () -> {
          mark(at, "flaky");
          if (TaskContext.get().attemptNumber() == 0) {
            throw new IllegalStateException("connection reset");
          }
          return 7;
        };

    assertThat(tasks(spark).run("flaky", List.of(flaky))).containsExactly(7);
    assertThat(marks(at, "flaky")).isEqualTo(2);
  }

  @Test
  void retriesStorageThatMayPassAndThenSaysWhatItWas(SparkSession spark) {
    String at = folder.toString();
    Work<Integer> unlucky =
        () -> {
          mark(at, "unlucky");
          throw new TransientStorageException(
              "Cannot read s3a://b/a: 503.", new IOException("503"));
        };
    Work<Integer> lucky =
        () -> {
          if (TaskContext.get().attemptNumber() == 0) {
            throw new TransientStorageException("Cannot read it.", new IOException("503"));
          }
          return 7;
        };

    assertThat(tasks(spark).run("lucky", List.of(lucky))).containsExactly(7);
    assertThatThrownBy(() -> tasks(spark).run("unlucky", List.of(unlucky)))
        .isInstanceOf(TransientStorageException.class)
        .hasMessage("Cannot read s3a://b/a: 503.");
    assertThat(marks(at, "unlucky")).as("all attempts that a task has").isEqualTo(3);
  }

  @Test
  void saysWhatToDoWhenATaskRunsOutOfMemory(SparkSession spark) {
    String at = folder.toString();
    Work<Integer> greedy =
        () -> {
          mark(at, "greedy");
          throw new OutOfMemoryError("Physical memory usage is too high");
        };

    assertThatThrownBy(() -> tasks(spark).run("factor the Gram", List.of(greedy)))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("The job 'factor the Gram' ran out of memory")
        .hasMessageContaining("Physical memory usage is too high")
        .hasMessageContaining("process of at most ")
        .hasMessageContaining("(spark.executor.memoryOverhead or memoryOverheadFactor");
    assertThat(marks(at, "greedy")).as("another try may meet fewer neighbours").isEqualTo(3);
  }

  @Test
  void tellsAFullHeapFromFullNativeMemory(SparkSession spark) {
    Work<Integer> greedy =
        () -> {
          throw new OutOfMemoryError("Java heap space");
        };
    long heap = Runtime.getRuntime().maxMemory() >> 20;

    assertThatThrownBy(() -> tasks(spark).run("plan", List.of(greedy)))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("ran out of memory (Java heap space; host ")
        .hasMessageContaining(", heap of at most %d MiB).".formatted(heap))
        .hasMessageContaining("Give the heap more (spark.executor.memory;");
  }

  @Test
  void memoryThatRanOutWhileALibraryStartedIsNoFaultOfTheLibrary(SparkSession spark) {
    Work<Integer> second =
        () -> {
          throw new NoClassDefFoundError(
              "Exception java.lang.OutOfMemoryError: Physical memory usage is too high");
        };
    assertThatThrownBy(() -> tasks(spark).run("observe", List.of(second)))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("The job 'observe' ran out of memory (")
        .hasMessageContaining("Physical memory usage is too high; host ");
  }

  @Test
  void aLibraryThatIsMissingIsAFaultOfTheEnvironment(SparkSession spark) {
    Work<Integer> broken =
        () -> {
          throw new UnsatisfiedLinkError("no jnidnnl in java.library.path");
        };
    assertThatThrownBy(() -> tasks(spark).run("factor", List.of(broken)))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("A library cannot be loaded: ")
        .hasMessageContaining("no jnidnnl in java.library.path")
        .hasMessageContaining("shardpress doctor");
  }

  @Test
  void tasksComputeWithTheKernelsOfTheDriversChoice(SparkSession spark) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    KernelsUsed used = new KernelsUsed();
    Work<Boolean> computing = Kernels::multiplyBf16;

    new Tasks(context, KernelChoice.JAVA, used, new MemoryUsed(), new TaskLog())
        .run("compute", List.of(computing));
    assertThat(used.hosts()).containsOnlyKeys("java loops, 1 thread per call");

    new Tasks(context, KernelChoice.OPENBLAS, used, new MemoryUsed(), new TaskLog())
        .run("compute", List.of(computing));
    assertThat(used.hosts()).hasSize(2);
    assertThat(used.warnings()).hasSize(1);
  }

  @Test
  void tasksThatDoNotComputeLoadNoKernels(SparkSession spark) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    KernelsUsed used = new KernelsUsed();

    new Tasks(context, KernelChoice.JAVA, used, new MemoryUsed(), new TaskLog())
        .run("squares", squares(3));
    assertThat(used.hosts()).isEmpty();
  }

  @Test
  void tasksThatNeedAllMemoryRunOneByOneAndSayHowLargeTheirProcessBecame(SparkSession spark) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    MemoryUsed used = new MemoryUsed();
    long all = MemoryBudget.here().taskBytes();
    String ended = folder.resolve("ended").toString();
    List<Greedy> work = List.of(new Greedy(all, ended), new Greedy(all, ended));

    assertThat(
            new Tasks(context, KernelChoice.AUTO, new KernelsUsed(), used, new TaskLog())
                .run("one by one", work))
        .containsExactlyInAnyOrder(1, 0);
    assertThat(used.processes()).containsOnlyKeys("driver");
    MemoryUsed.Process driver = used.processes().get("driver");
    assertThat(driver.plannedBytes())
        .isGreaterThanOrEqualTo(driver.limitBytes() - MemoryBudget.KERNEL_BYTES);
    assertThat(driver.peakResidentBytes()).hasValueSatisfying(p -> assertThat(p).isPositive());
  }

  /**
   * Returns how many tasks wait for memory; the first that runs stays until one does.
   *
   * @param ended a file that is there when it has ended
   */
  private record Greedy(long bytes, String ended) implements Work<Integer> {
    @Override
    public TaskMemory memory() {
      return TaskMemory.of(bytes, 0);
    }

    @Override
    public Integer run() {
      long latest = System.nanoTime() + 30_000_000_000L;
      while (!Files.exists(Path.of(ended))
          && ExecutorMemory.here().waiting() == 0
          && System.nanoTime() < latest) {
        Thread.onSpinWait();
      }
      int waiting = ExecutorMemory.here().waiting();
      try {
        Files.writeString(Path.of(ended), "");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return waiting;
    }
  }

  @Test
  void logsWhatEveryTaskCost(SparkSession spark) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    TaskLog log = new TaskLog();
    Tasks tasks = new Tasks(context, KernelChoice.AUTO, new KernelsUsed(), new MemoryUsed(), log);
    log.stage("compress", () -> tasks.run("wait a little", List.of(new Pause(40), new Pause(1))));

    RunCosts costs = log.costs("run", 1, 1);
    assertThat(costs.coresPerExecutor()).isEqualTo(2);
    assertThat(costs.coresPerTask()).isEqualTo(1);
    assertThat(costs.executors()).singleElement().asString().startsWith("driver@");
    assertThat(costs.stages().get(0).jobs())
        .singleElement()
        .satisfies(
            job -> {
              assertThat(job.description()).isEqualTo("wait a little");
              assertThat(job.kind()).isEqualTo("Pause");
              assertThat(job.executors()).containsExactly(0, 0);
              assertThat(job.seconds().get(0)).isBetween(0.04, job.duration());
              assertThat(job.seconds().get(1)).isBetween(0.001, job.duration());
            });
  }

  /** Keeps a core busy. */
  private record Pause(int millis) implements Work<Integer> {
    @Override
    public Integer run() {
      long end = System.nanoTime() + millis * 1_000_000L;
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      return millis;
    }
  }

  @Test
  void passesOnWhatNobodyExpected(SparkSession spark) {
    Work<Integer> broken =
        () -> {
          throw new IllegalStateException("a bug");
        };
    assertThatThrownBy(() -> tasks(spark).run("broken", List.of(broken)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("The job 'broken' failed: java.lang.IllegalStateException: a bug");
  }

  @Test
  void namesTheJobGroupForTheSparkUi(SparkSession spark) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    Work<String> description = () -> TaskContext.get().getLocalProperty("spark.job.description");

    assertThat(new Tasks(context).run("compress all layers", List.of(description)))
        .containsExactly("compress all layers");
    assertThat(context.getLocalProperty("spark.job.description")).isNull();
  }

  private static List<Work<Integer>> squares(int count) {
    List<Work<Integer>> work = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int number = i;
      work.add(() -> number * number);
    }
    return work;
  }

  private static int awaitInterruption() {
    while (!Thread.currentThread().isInterrupted() && !TaskContext.get().isInterrupted()) {
      Thread.onSpinWait();
    }
    return 0;
  }

  /** Leaves one more mark of this name, for the driver to count. */
  private static void mark(String folder, String name) {
    try {
      Files.createFile(Path.of(folder, name + "-" + UUID.randomUUID()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long marks(String folder, String name) {
    try (Stream<Path> files = Files.list(Path.of(folder))) {
      return files.filter(file -> file.getFileName().toString().startsWith(name + "-")).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Tasks tasks(SparkSession spark) {
    return new Tasks(JavaSparkContext.fromSparkContext(spark.sparkContext()));
  }
}
