package io.shardpress.jobs.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.UsageException;
import io.shardpress.jobs.costs.RunCosts;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class WhatIfTest {
  private static final RunCosts SEQUENTIAL = MadeUpRun.sequential(3, 8);
  private static final RunCosts ONE_PASS = MadeUpRun.onePass(4, 8);

  @Test
  void theRunAsItWasIsTheRunAsItWas() {
    assertThat(WhatIf.NOTHING.apply(SEQUENTIAL)).isEqualTo(Workload.of(SEQUENTIAL));
    assertThat(blocks(3).apply(SEQUENTIAL)).isEqualTo(Workload.of(SEQUENTIAL));
    assertThat(sequences(8).apply(ONE_PASS)).isEqualTo(Workload.of(ONE_PASS));
  }

  @Test
  void aRunBlockByBlockRepeatsItsBlocks() {
    Workload larger = blocks(6).apply(SEQUENTIAL);

    assertThat(jobs(larger, "ObserveStage").stream().map(Job::description))
        .as("the first once, the others in turn")
        .containsExactly(
            "calibrate: stage 1",
            "calibrate: stage 2",
            "calibrate: stage 3",
            "calibrate: stage 2",
            "calibrate: stage 3",
            "calibrate: stage 2");
    assertThat(jobs(larger, "SolveSlices"))
        .hasSize(6)
        .allSatisfy(job -> assertThat(job.seconds()).containsExactly(4.0, 2.0));
    assertThat(jobs(larger, "AssembleShard").get(0).seconds()).hasSize(4);
    assertThat(driver(larger, "calibrate")).isEqualTo(6 * 2);
    assertThat(driver(larger, "plan")).isEqualTo(2 * 2);
    assertThat(driver(larger, "tokenize")).isEqualTo(2);
  }

  @Test
  void aModelMayBeSmaller() {
    Workload smaller = blocks(1).apply(SEQUENTIAL);
    assertThat(jobs(smaller, "ObserveStage").stream().map(Job::description))
        .containsExactly("calibrate: stage 1");
  }

  @Test
  void theHeadStaysLast() {
    MadeUpRun run = new MadeUpRun(2, 1);
    for (String turn : List.of("block 1", "block 2", "head")) {
      run.stage("calibrate", MadeUpRun.job(turn, "ObserveStage", List.of(1.0)))
          .stage("compress", MadeUpRun.job(turn, "SolveSlices", List.of(1.0)));
    }
    assertThat(jobs(blocks(4).apply(run.costs()), "SolveSlices").stream().map(Job::description))
        .containsExactly("block 1", "block 2", "block 2", "block 2", "head");
  }

  @Test
  void aRunInOnePassHasDearerChunksAndMoreLayers() {
    Workload larger = blocks(10).apply(ONE_PASS);

    assertThat(jobs(larger, "ObserveStages")).hasSize(1);
    assertThat(jobs(larger, "ObserveStages").get(0).seconds()).hasSize(8).containsOnly(10.0);
    assertThat(jobs(larger, "FoldTile").get(0).seconds()).hasSize(10).containsOnly(0.5);
    assertThat(jobs(larger, "SolveSlices").get(0).seconds()).hasSize(10).containsOnly(4.0);
    assertThat(jobs(larger, "ScoreChunk").get(0).seconds()).hasSize(3).containsOnly(10.0);
  }

  @Test
  void moreSequencesAreMoreChunksAndLongerSums() {
    Workload larger = sequences(20).apply(SEQUENTIAL);

    assertThat(jobs(larger, "ObserveStage"))
        .hasSize(3)
        .allSatisfy(job -> assertThat(job.seconds()).hasSize(20).containsOnly(1.0));
    assertThat(jobs(larger, "FoldTile").get(0).seconds()).containsExactly(1.25, 0.625);
    assertThat(jobs(larger, "SolveSlices").get(0).seconds()).containsExactly(4.0, 2.0);
    assertThat(driver(larger, "tokenize")).as("not recorded task by task").isEqualTo(2);
    assertThat(driver(larger, "plan")).isEqualTo(2);
  }

  @Test
  void keepsTheOrderOfTheTasks() {
    RunCosts run =
        new MadeUpRun(2, 1)
            .stage("compress", MadeUpRun.job("all", "SolveSlices", List.of(5.0, 3.0, 1.0)))
            .costs();
    assertThat(jobs(blocks(4).apply(run), "SolveSlices").get(0).seconds())
        .containsExactly(5.0, 5.0, 3.0, 3.0, 1.0, 1.0);
  }

  @Test
  void leavesAloneWhatItKnowsNothingOf() {
    RunCosts run =
        new MadeUpRun(2, 2).stage("prune", MadeUpRun.job("all", "New", List.of(5.0))).costs();
    assertThat(jobs(blocks(4).apply(run), "New").get(0).seconds()).containsExactly(5.0);
  }

  @Test
  void refusesWhatARecordingDoesNotShow() {
    assertThatThrownBy(() -> blocks(80).apply(MadeUpRun.sequential(1, 8)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("The recorded run calibrates 1 times for 1 blocks, so that")
        .hasMessageEndingWith("or leave out --blocks.");
    RunCosts resumed =
        new MadeUpRun(8, 1)
            .stage("calibrate", MadeUpRun.job("stage 8", "ObserveStage", List.of(1.0)))
            .costs();
    assertThatThrownBy(() -> blocks(80).apply(resumed))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("calibrates 1 times for 8 blocks")
        .hasMessageContaining("from its beginning to its end");
    RunCosts dataFree =
        new MadeUpRun(0, 0)
            .stage("compress", MadeUpRun.job("x", "SolveSlices", List.of(1.0)))
            .costs();
    assertThatThrownBy(() -> sequences(8).apply(dataFree))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "The recorded run has no sequences to make 8 of. Record a run that has, or leave out"
                + " --sequences.");
    assertThatThrownBy(() -> blocks(8).apply(dataFree))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no blocks to make 8 of");
  }

  @Test
  void refusesSizesThatAreNone() {
    assertThatThrownBy(() -> blocks(0))
        .isInstanceOf(UsageException.class)
        .hasMessage("--blocks is 0; give a number from 1 to 10000.");
    assertThatThrownBy(() -> sequences(-1))
        .isInstanceOf(UsageException.class)
        .hasMessageStartingWith("--sequences is -1; give a number from 1 to ");
    assertThatThrownBy(() -> sequences(2_000_000_000).apply(SEQUENTIAL))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            "One job would have 2000000000 tasks; at most 1000000 are replayed. Give fewer --blocks"
                + " or --sequences.");
  }

  private static List<Job> jobs(Workload workload, String kind) {
    return workload.stretches().stream()
        .flatMap(stretch -> stretch.jobs().stream())
        .filter(job -> job.kind().equals(kind))
        .toList();
  }

  private static double driver(Workload workload, String stage) {
    return workload.stretches().stream()
        .filter(stretch -> stretch.stage().equals(stage))
        .mapToDouble(Stretch::driverSeconds)
        .sum();
  }

  private static WhatIf blocks(int count) {
    return new WhatIf(OptionalInt.of(count), OptionalInt.empty());
  }

  private static WhatIf sequences(int count) {
    return new WhatIf(OptionalInt.empty(), OptionalInt.of(count));
  }
}
