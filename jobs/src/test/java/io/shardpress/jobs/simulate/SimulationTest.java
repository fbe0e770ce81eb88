package io.shardpress.jobs.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.UsageException;
import io.shardpress.jobs.costs.RunCosts;
import java.util.List;
import java.util.OptionalInt;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** A run of round numbers whose replays can be worked out by hand. */
class SimulationTest {
  private static final Offset<Double> EXACT = within(1e-9);

  /** Two blocks of 8 chunks; 7 stages, and so 21 s of the driver. */
  private final RunCosts costs = MadeUpRun.sequential(2, 8);

  @Test
  void replaysTheRecordedClusterAsRecorded() {
    ScalingReport report = simulate(1, 1);

    assertThat(costs.seconds()).isEqualTo(21 + 2 * (8 + 0.75 + 6) + 2);
    assertThat(report.recorded().seconds()).isEqualTo(costs.seconds());
    assertThat(report.recorded().replayedSeconds().orElseThrow()).isCloseTo(costs.seconds(), EXACT);
    assertThat(report.oneCoreSeconds()).isCloseTo(costs.seconds(), EXACT);
    assertThat(report.tasks()).isEqualTo(2 * (8 + 2 + 2) + 2);
  }

  @Test
  void moreCoresShortenJobsAndNotTheDriver() {
    ScalingReport report = simulate(2, 2, 4);

    ScalingReport.Row one = report.clusters().get(0);
    assertThat(one.executors()).isEqualTo(1);
    assertThat(one.seconds()).isCloseTo(21 + 2 * (4 + 0.5 + 4) + 1, EXACT);
    ScalingReport.Row two = report.clusters().get(1);
    assertThat(two.executors()).isEqualTo(2);
    assertThat(two.cores()).isEqualTo(4);
    assertThat(two.driverSeconds()).isCloseTo(21, EXACT);
    assertThat(two.stages().keySet()).containsExactly("calibrate", "compress", "assemble");
    assertThat(two.stages().get("calibrate")).isCloseTo(2 * (2 + 0.5), EXACT);
    assertThat(two.stages().get("compress")).isCloseTo(2 * 4, EXACT);
    assertThat(two.seconds()).isCloseTo(21 + 5 + 8 + 1, EXACT);
    assertThat(two.speedUp()).isCloseTo(39.0 / 35, EXACT);
    assertThat(two.efficiency()).isCloseTo(39.0 / 70, EXACT);
    assertThat(two.utilisation()).isCloseTo(31.5 / (4 * 35), EXACT);
  }

  @Test
  void namesTheSerialPart() {
    ScalingReport report = simulate(1, 4, 100);

    double serial = 21 + 2 * (1 + 0.5 + 4) + 1;
    assertThat(report.serial().seconds()).isCloseTo(serial, EXACT);
    assertThat(report.serial().driverSeconds()).isCloseTo(21, EXACT);
    assertThat(report.serial().startingSeconds()).isZero();
    assertThat(report.serial().longestTaskSeconds()).isCloseTo(serial - 21, EXACT);
    assertThat(report.serial().fraction()).isCloseTo(serial / costs.seconds(), EXACT);
    assertThat(report.serial().largestSpeedUp()).isCloseTo(costs.seconds() / serial, EXACT);
    // 33 s at best; 4 cores take 35 s, 7 as well (8 chunks in two turns), 8 cores 33 s.
    assertThat(report.serial().executorsWorthwhile()).isEqualTo(8);
    assertThat(report.clusters().get(2).seconds()).isCloseTo(serial, EXACT);
    assertThat(report.clusters().get(2).serialShare()).isCloseTo(1, EXACT);
  }

  @Test
  void theCurveDoublesUpToTheLargestCluster() {
    assertThat(simulate(1, 3, 12).curve().stream().map(ScalingReport.Point::executors))
        .containsExactly(1, 2, 3, 4, 8, 12);
    assertThat(simulate(1, 1).curve().stream().map(ScalingReport.Point::executors))
        .containsExactly(1);
  }

  @Test
  void stragglersAreTheSameOnEveryClusterAndMakeARunLonger() {
    Stragglers all = new Stragglers(1, 2, 0);
    Stragglers some = new Stragglers(0.25, 3, 7);
    Workload workload = Workload.of(costs);

    assertThat(all.among(workload).stretches().get(5).jobs().get(0).seconds())
        .containsOnly(2.0)
        .hasSize(8);
    assertThat(some.among(workload)).isEqualTo(some.among(workload)).isNotEqualTo(workload);
    assertThat(Stragglers.NONE.among(workload)).isSameAs(workload);
    ScalingReport slowed = simulate(settings(some, 0, 8));
    assertThat(slowed.clusters().get(1).seconds())
        .isGreaterThan(simulate(1, 8).clusters().get(1).seconds());
    assertThat(slowed.assumptions())
        .anyMatch(
            line -> line.startsWith("25.00 % of the tasks, picked with the seed 7, take 3.0"));
  }

  @Test
  void idleCoresHelpWhereAsked() {
    ScalingReport shared = simulate(settings(Stragglers.NONE, 1, 100));
    // On 4 cores each, one task to an executor: a quarter of every longest task.
    assertThat(shared.serial().longestTaskSeconds()).isCloseTo((2 * (1 + 0.5 + 4) + 1) / 4, EXACT);
    assertThat(shared.assumptions())
        .anyMatch(line -> line.startsWith("Idle cores take over 100 % of the work"));
  }

  @Test
  void saysWhatItAssumes() {
    RunCosts wide =
        new MadeUpRun(1, 1)
            .coresPerExecutor(4)
            .stage("x", MadeUpRun.job("j", "Strange", List.of(1.0)))
            .costs();
    List<String> assumptions =
        Simulation.of("run", wide, settings(new WhatIf(OptionalInt.of(3), OptionalInt.of(5)), 1))
            .assumptions();

    assertThat(assumptions)
        .anyMatch(line -> line.contains("storage and network keep up with any number of executors"))
        .anyMatch(line -> line.contains("may have used idle cores of their executors of 4 already"))
        .anyMatch(line -> line.startsWith("3 blocks in place of 1, each like the recorded ones"))
        .anyMatch(line -> line.startsWith("5 sequences in place of 1, as more or fewer chunks"))
        .contains("How tasks of the kind Strange grow is not known: they stay as they are.");
  }

  @Test
  void refusesARunWithoutTasks() {
    RunCosts empty = new MadeUpRun(1, 1).stage("plan").costs();
    assertThatThrownBy(() -> Simulation.of("out/tasks.json", empty, settings(WhatIf.NOTHING, 1)))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "out/tasks.json lists no tasks, so that there is nothing to replay. Give the record of"
                + " a run that compressed something.");
  }

  @Test
  void refusesClustersThatRunNothing() {
    assertThatThrownBy(() -> settings(WhatIf.NOTHING))
        .isInstanceOf(UsageException.class)
        .hasMessage("No number of executors is given. Give --executors 8,64,512.");
    assertThatThrownBy(() -> simulate(1, 0))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            "A cluster has 1 to 1000000 executors of 1 to 1000000 cores; 0 of 1 were asked for.");
    assertThatThrownBy(() -> new Cluster(1, 3, 4))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            "A task of this run takes 4 cores (spark.task.cpus), and an executor of 3 runs none."
                + " Give --cores 4 or more.");
    assertThatThrownBy(() -> settings(Stragglers.NONE, 1.5, 1))
        .isInstanceOf(UsageException.class)
        .hasMessage("--shared is a part from 0 to 1, and 1.5 was given.");
    assertThatThrownBy(() -> new Stragglers(0.5, 0.5, 0))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("0.5 of them that take 0.5 times as long were asked for");
  }

  private ScalingReport simulate(int cores, Integer... executors) {
    return simulate(
        new SimulationSettings(List.of(executors), cores, WhatIf.NOTHING, Stragglers.NONE, 0));
  }

  private ScalingReport simulate(SimulationSettings settings) {
    return Simulation.of("run", costs, settings);
  }

  private static SimulationSettings settings(
      Stragglers stragglers, double shared, Integer... executors) {
    return new SimulationSettings(
        List.of(executors), shared == 0 ? 1 : 4, WhatIf.NOTHING, stragglers, shared);
  }

  private static SimulationSettings settings(WhatIf whatIf, Integer... executors) {
    return new SimulationSettings(List.of(executors), 1, whatIf, Stragglers.NONE, 0);
  }
}
