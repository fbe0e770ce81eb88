package io.shardpress.jobs.costs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TaskLogTest {
  private long nanos = 5_000_000_000L;
  private final TaskLog log = new TaskLog(() -> nanos);

  @Test
  void logsStagesTheirJobsAndTheirTasks() {
    pass(0.25);
    log.cores(4, 2);
    log.<Integer>stage(
        "calibrate",
        () -> {
          pass(0.5);
          double start = log.now();
          pass(2);
          log.job("chunks", "Observe", start, List.of(task(1.5, "1@a"), task(0.50004, "2@b")));
          log.job("sums", "Fold", log.now(), List.of(task(0, "2@b")));
          pass(0.125);
          return 3;
        });
    pass(1);

    RunCosts costs = log.costs("run", 8, 64);
    assertThat(costs.format()).isEqualTo("shardpress-tasks/1");
    assertThat(costs.executors()).containsExactly("1@a", "2@b");
    assertThat(costs.coresPerExecutor()).isEqualTo(4);
    assertThat(costs.coresPerTask()).isEqualTo(2);
    assertThat(costs.seconds()).isEqualTo(3.875);
    assertThat(costs.tasks()).isEqualTo(3);
    assertThat(costs.stages())
        .containsExactly(
            new StageCosts(
                "calibrate",
                0.25,
                2.875,
                List.of(
                    new JobCosts("chunks", "Observe", 0.75, 2.75, List.of(1.5, 0.5), List.of(0, 1)),
                    new JobCosts("sums", "Fold", 2.75, 2.75, List.of(0.0), List.of(1)))));
  }

  @Test
  void aStageWithinAStageIsAPartOfIt() {
    log.<Integer>stage(
        "assemble",
        () -> {
          pass(1);
          return log.stage(
              "evaluate",
              () -> {
                pass(1);
                log.job("scores", "Score", 0, List.of(task(1, "1@a")));
                return 1;
              });
        });

    assertThat(log.costs("run", 1, 0).stages())
        .singleElement()
        .satisfies(stage -> assertThat(stage.stage()).isEqualTo("assemble"))
        .satisfies(stage -> assertThat(stage.jobs()).hasSize(1));
  }

  @Test
  void forgetsAStageThatFailedAndGoesOn() {
    assertThatThrownBy(
            () ->
                log.stage(
                    "plan",
                    () -> {
                      log.job("lost", "Lost", 0, List.of(task(0, "1@a")));
                      throw new IllegalStateException("no such model");
                    }))
        .hasMessage("no such model");
    log.<Integer>stage("plan", () -> 1);

    assertThat(log.costs("run", 1, 0).stages())
        .containsExactly(new StageCosts("plan", 0, 0, List.of()));
  }

  private void pass(double seconds) {
    nanos += Math.round(seconds * 1e9);
  }

  private static TaskLog.Task task(double seconds, String executor) {
    return new TaskLog.Task(seconds, executor);
  }
}
