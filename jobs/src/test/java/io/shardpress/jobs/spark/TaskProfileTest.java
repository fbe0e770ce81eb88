package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.spark.MemoryBudget.Host;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@SparkTest
class TaskProfileTest {
  private static final long GIBI = 1 << 30;

  @ParameterizedTest(name = "{0} cores, {1} per task, room for {2} tasks: {3} per task")
  @CsvSource({
    "8, 1, 9, 1", // memory for more than Spark gives
    "8, 1, 8, 1",
    "8, 1, 7, 2",
    "8, 1, 4, 2",
    "8, 1, 3, 3", // two tasks of three cores: the other two cores help
    "8, 1, 2, 3",
    "8, 1, 1, 5",
    "8, 2, 2, 3",
    "1, 1, 1, 1",
    "0, 1, 1, 1", // nobody knows the cores
  })
  void executorsGetNoMoreTasksThanTheirMemoryTakes(int cores, int taskCpus, int room, int cpus) {
    MemoryBudget budget =
        new MemoryBudget(
            Host.EXECUTOR, GIBI + MemoryBudget.BASE_BYTES + room * GIBI, GIBI, cores / taskCpus);
    List<Work<Integer>> work = List.of(new Sized(GIBI / 8), new Sized(GIBI), new Sized(1));

    int found = TaskProfile.cpus(cores, taskCpus, budget, work);
    assertThat(found).isEqualTo(cpus);
    if (cores > 0) {
      assertThat(cores / found).isLessThanOrEqualTo(Math.max(1, room));
    }
  }

  @Test
  void inOneProcessThereAreNoProfiles(SparkSession spark) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    MemoryBudget budget =
        new MemoryBudget(Host.EXECUTOR, GIBI + MemoryBudget.BASE_BYTES + GIBI, GIBI, 2);
    List<Sized> work = List.of(new Sized(GIBI));
    JavaRDD<Sized> pieces = context.parallelize(work);

    assertThat(TaskProfile.of(pieces, work, context.getConf(), budget)).isSameAs(pieces);
  }

  @Test
  void aClusterThatOffersNoneRunsTheTasksAsTheyAre(SparkSession spark) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    MemoryBudget budget =
        new MemoryBudget(Host.EXECUTOR, GIBI + MemoryBudget.BASE_BYTES + GIBI, GIBI, 2);
    List<Sized> work = List.of(new Sized(GIBI));
    JavaRDD<Sized> pieces = context.parallelize(work);

    // What Spark thinks of the master, which is local, decides; not what these settings say.
    JavaRDD<Sized> found =
        TaskProfile.of(
            pieces,
            work,
            context.getConf().set("spark.master", "mesos://host").set("spark.executor.cores", "2"),
            budget);
    assertThat(found).isSameAs(pieces);
  }

  private record Sized(long bytes) implements Work<Integer> {
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
