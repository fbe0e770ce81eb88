package io.shardpress.jobs.simulate;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.costs.JobCosts;
import io.shardpress.jobs.costs.RunCosts;
import java.util.List;
import org.junit.jupiter.api.Test;

class LimitTest {
  @Test
  void tooFewChunks() {
    assertThat(
            limit(
                512,
                new MadeUpRun(9, 32)
                    .stage("calibrate", chunks())
                    .stage("calibrate", chunks())
                    .costs()))
        .isEqualTo(
            "On 512 executors the stage calibrate (jobs like 'stage 2 of 9') takes 93 % of the"
                + " time: its 2 jobs follow one another, and each has no more than 32 tasks (a"
                + " smaller calibration.chunk-tokens cuts them finer) for 512 cores; 32 executors"
                + " come within 5 % of the shortest possible time, 1 min 26 s.");
  }

  @Test
  void oneLongTask() {
    RunCosts costs =
        new MadeUpRun(1, 1)
            .stage("compress", MadeUpRun.job("all", "SolveSlices", List.of(90.0, 10.0, 10.0, 10.0)))
            .costs();
    assertThat(limit(4, costs))
        .contains(
            "its job has no more than 4 tasks for 4 cores and ends with its longest one, 3.0 times"
                + " as long as the mean; 2 executors come within 5 %");
  }

  @Test
  void workItself() {
    assertThat(limit(4, new MadeUpRun(1, 1).stage("calibrate", chunks()).costs()))
        .contains("its job has up to 32 tasks for 4 cores")
        .contains(
            "so that the work itself is the limit; the run gets shorter up to about 32 executors.");
  }

  @Test
  void theDriver() {
    RunCosts costs =
        new MadeUpRun(1, 1)
            .stage("compress", MadeUpRun.job("all", "SolveSlices", List.of(0.5)))
            .costs();
    assertThat(limit(1, costs))
        .startsWith(
            "On 1 executor what the driver does alone (compress) takes 57 % of the time: no"
                + " executor shortens it; 1 executor come");
  }

  @Test
  void whatIsNotRecorded() {
    RunCosts costs =
        new MadeUpRun(1, 1)
            .stage("tokenize", MadeUpRun.job("a part", "Part", List.of(0.5)))
            .costs();
    assertThat(limit(8, costs))
        .startsWith(
            "On 8 executors the stage tokenize takes 57 % of the time: its tasks are not recorded,"
                + " so that it stays as it was; ");
  }

  @Test
  void startingJobs() {
    JobCosts tiny = new JobCosts("tiny", "SolveSlices", 0, 50, List.of(0.5), List.of(0));
    assertThat(limit(8, new MadeUpRun(1, 1).stage("compress", tiny).costs()))
        .contains("its job is so short that starting it takes longer than its tasks");
  }

  private static JobCosts chunks() {
    return MadeUpRun.job("stage 2 of 9", "ObserveStage", MadeUpRun.same(32, 40));
  }

  private static String limit(int executors, RunCosts costs) {
    return Simulation.of(
            "run",
            costs,
            new SimulationSettings(List.of(executors), 1, WhatIf.NOTHING, Stragglers.NONE, 0))
        .limit();
  }
}
