package io.shardpress.jobs.simulate;

import io.shardpress.jobs.costs.JobCosts;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.costs.StageCosts;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run has to do, whatever it runs on: stretches one after the other.
 *
 * @param coresPerTask that the seconds of a task were measured with
 */
record Workload(List<Stretch> stretches, int coresPerTask) {

  /** The driver's time between two stages. */
  static final String BETWEEN = "between stages";

  /** The stage whose Spark jobs are not recorded, and so count as the driver's time. */
  static final String TOKENIZE = "tokenize";

  Workload {
    stretches = List.copyOf(stretches);
  }

  /** What was recorded. */
  static Workload of(RunCosts costs) {
    List<Stretch> stretches = new ArrayList<>();
    double before = 0;
    for (StageCosts stage : costs.stages()) {
      stretches.add(new Stretch(BETWEEN, stage.start() - before, List.of()));
      stretches.add(stretch(stage));
      before = stage.end();
    }
    stretches.add(new Stretch(BETWEEN, costs.seconds() - before, List.of()));
    return new Workload(stretches, costs.coresPerTask());
  }

  private static Stretch stretch(StageCosts stage) {
    double inJobs = stage.jobs().stream().mapToDouble(JobCosts::duration).sum();
    return new Stretch(
        stage.stage(),
        Math.max(0, stage.end() - stage.start() - inJobs),
        stage.jobs().stream()
            .map(job -> new Job(job.description(), job.kind(), job.seconds()))
            .toList());
  }

  int tasks() {
    return stretches.stream()
        .flatMap(stretch -> stretch.jobs().stream())
        .mapToInt(job -> job.seconds().size())
        .sum();
  }

  /** The tasks of the job that has most. */
  int widest() {
    return stretches.stream()
        .flatMap(stretch -> stretch.jobs().stream())
        .mapToInt(job -> job.seconds().size())
        .max()
        .orElse(1);
  }
}
