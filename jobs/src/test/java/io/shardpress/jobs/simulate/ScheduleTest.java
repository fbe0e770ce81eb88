package io.shardpress.jobs.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** Against schedules that were worked out by hand, and against what holds for any. */
class ScheduleTest {
  @Test
  void theNextTaskGoesToTheFirstFreeCore() {
    // 3 and 2 start; 2 takes the place of the 2 and ends at 4; 1 that of the 3 and ends at 4; 4
    // then.
    assertThat(onCores(2).seconds(List.of(3.0, 2.0, 2.0, 1.0))).isEqualTo(4);
    assertThat(onCores(2).seconds(List.of(3.0, 2.0, 2.0, 1.0, 4.0))).isEqualTo(8);
    assertThat(onCores(3).seconds(List.of(3.0, 2.0, 2.0, 1.0, 4.0))).isEqualTo(6);
  }

  @Test
  void onEnoughCoresAJobIsAsLongAsItsLongestTask() {
    assertThat(onCores(4).seconds(List.of(3.0, 2.0, 5.0, 1.0))).isEqualTo(5);
    assertThat(onCores(1).shortest(List.of(3.0, 2.0, 5.0, 1.0))).isEqualTo(5);
  }

  @Test
  void executorsOfSeveralCoresRunAsManyTasks() {
    Schedule schedule = new Schedule(new Cluster(2, 5, 2), Overheads.NONE, 0);
    assertThat(schedule.seconds(List.of(1.0, 1.0, 1.0, 1.0))).as("four places").isEqualTo(1);
    assertThat(schedule.seconds(List.of(1.0, 1.0, 1.0, 1.0, 1.0))).isEqualTo(2);
  }

  @Test
  void startingCostsOncePerJobAndOncePerTask() {
    Schedule schedule = new Schedule(new Cluster(2, 1, 1), new Overheads(10, 0.5, 0, true), 0);
    assertThat(schedule.seconds(List.of(3.0, 2.0, 2.0))).isEqualTo(10 + 0.5 + 2 + 0.5 + 2);
  }

  @Test
  void theDriverStartsOneTaskAfterTheOther() {
    Schedule schedule = new Schedule(new Cluster(100, 1, 1), new Overheads(0, 0, 0.25, true), 0);
    assertThat(schedule.seconds(List.of(1.0, 1.0, 1.0, 1.0, 1.0))).isEqualTo(4 * 0.25 + 1);
    assertThat(schedule.shortest(List.of(1.0, 1.0, 1.0, 1.0, 1.0))).isEqualTo(4 * 0.25 + 1);
  }

  @Test
  void idleCoresTakeOverTheSharedPartOfATask() {
    Cluster two = new Cluster(1, 2, 1);
    assertThat(new Schedule(two, Overheads.NONE, 1).seconds(List.of(4.0))).isEqualTo(2);
    assertThat(new Schedule(two, Overheads.NONE, 0.5).seconds(List.of(4.0))).isEqualTo(3);
    // Side by side until the shorter one ends at 2; the rest of the longer one, 2, on both cores.
    assertThat(new Schedule(two, Overheads.NONE, 1).seconds(List.of(4.0, 2.0))).isEqualTo(3);
    assertThat(new Schedule(two, Overheads.NONE, 1).seconds(List.of(2.0, 4.0))).isEqualTo(3);
    // One task for each executor, rather than two for one of them.
    assertThat(new Schedule(two.of(2), Overheads.NONE, 1).seconds(List.of(4.0, 4.0))).isEqualTo(2);
  }

  @Test
  void schedulesLikeTheTextbook() {
    for (long seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      List<Double> tasks = tasks(random);
      int executors = random.nextInt(1, 9);
      int cores = random.nextInt(1, 5);
      double perTask = random.nextDouble();
      Schedule schedule =
          new Schedule(new Cluster(executors, cores, 1), new Overheads(0, perTask, 0, true), 0);
      assertThat(schedule.seconds(tasks))
          .as("seed %d", seed)
          .isCloseTo(textbook(tasks, executors * cores, perTask), within(1e-9));
    }
  }

  @Test
  void keepsToTheBoundsOfAnySchedule() {
    for (long seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      List<Double> tasks = tasks(random);
      double work = sum(tasks).sum();
      double longest = sum(tasks).max().orElseThrow();
      double shared = random.nextDouble();
      double before = Double.POSITIVE_INFINITY;
      for (int executors = 1; executors < 40; executors++) {
        Schedule plain = onCores(executors);
        double seconds = plain.seconds(tasks);
        assertThat(seconds)
            .as("seed %d, %d executors", seed, executors)
            .isGreaterThanOrEqualTo(Math.max(longest, work / executors) - 1e-9)
            .isLessThanOrEqualTo(work / executors + longest + 1e-9)
            .isLessThanOrEqualTo(before + 1e-9);
        Schedule sharing = new Schedule(new Cluster(executors, 3, 1), Overheads.NONE, shared);
        Schedule alone = new Schedule(new Cluster(executors, 3, 1), Overheads.NONE, 0);
        assertThat(sharing.seconds(tasks))
            .as("seed %d, %d executors", seed, executors)
            .isGreaterThanOrEqualTo(work / (3 * executors) - 1e-9)
            .isLessThanOrEqualTo(alone.seconds(tasks) + 1e-9);
        before = seconds;
      }
      assertThat(onCores(1).seconds(tasks)).as("seed %d", seed).isCloseTo(work, within(1e-9));
      assertThat(onCores(1).shortest(tasks)).as("seed %d", seed).isEqualTo(longest);
    }
  }

  private static double textbook(List<Double> tasks, int cores, double perTask) {
    PriorityQueue<Double> free = new PriorityQueue<>();
    for (int i = 0; i < cores; i++) {
      free.add(0.0);
    }
    double last = 0;
    for (double task : tasks) {
      double end = free.remove() + perTask + task;
      free.add(end);
      last = Math.max(last, end);
    }
    return last;
  }

  private static List<Double> tasks(SplittableRandom random) {
    return random.doubles(random.nextInt(1, 60), 0, 10).boxed().toList();
  }

  private static DoubleStream sum(List<Double> tasks) {
    return tasks.stream().mapToDouble(Double::doubleValue);
  }

  private static Schedule onCores(int cores) {
    return new Schedule(new Cluster(cores, 1, 1), Overheads.NONE, 0);
  }
}
