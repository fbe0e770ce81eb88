package io.shardpress.jobs.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.jobs.costs.JobCosts;
import io.shardpress.jobs.costs.RunCosts;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class OverheadsTest {
  @Test
  void findsWhatJobsAndTasksCostBesideTheirWork() {
    Overheads found = Overheads.of(run(1, job(4, 0.1 + 4 * 0.02), job(32, 0.1 + 32 * 0.02)));

    assertThat(found.job()).isCloseTo(0.1, within(1e-9));
    assertThat(found.task()).isCloseTo(0.02, within(1e-9));
    assertThat(found.launch()).isEqualTo(0.5e-3);
    assertThat(found.measured()).isTrue();
  }

  @Test
  void coresShareTheCostOfTasks() {
    // Eight tasks on two cores: each core has four.
    Overheads found = Overheads.of(run(2, job(8, -4 + 4 * 0.02), job(2, -1 + 0.02)));
    assertThat(found.task()).isCloseTo(0.02, within(1e-9));
    assertThat(found.job()).isCloseTo(0, within(1e-9));
  }

  @Test
  void neitherPartIsBelowZero() {
    Overheads dearJobs = Overheads.of(run(1, job(4, 0.9), job(32, 0.1)));
    assertThat(dearJobs.task()).isZero();
    assertThat(dearJobs.job()).isCloseTo(0.5, within(1e-9));
    assertThat(dearJobs.launch()).isZero();

    Overheads dearTasks = Overheads.of(run(1, job(4, 0), job(32, 0.9)));
    assertThat(dearTasks.job()).isCloseTo(0, within(1e-9));
    assertThat(dearTasks.task()).isCloseTo(0.9 / 36, within(1e-9));

    Overheads faster = Overheads.of(run(1, job(4, -1), job(32, -1)));
    assertThat(faster.job() + faster.task()).isZero();
  }

  @Test
  void takesTheUsualFiguresWhereCoresAreUnknown() {
    Overheads usual = Overheads.of(run(0, job(4, 0.9)));
    assertThat(usual.measured()).isFalse();
    assertThat(usual.task()).isPositive();
  }

  /** Tasks of a second each; the job takes {@code lost} seconds longer than their sum. */
  private static JobCosts job(int tasks, double lost) {
    return new JobCosts(
        "job", "Work", 0, tasks + lost, MadeUpRun.same(tasks, 1), Collections.nCopies(tasks, 0));
  }

  private static RunCosts run(int cores, JobCosts... jobs) {
    MadeUpRun run = new MadeUpRun(1, 1).coresPerExecutor(cores);
    List.of(jobs).forEach(job -> run.stage("compress", job));
    return run.costs();
  }
}
