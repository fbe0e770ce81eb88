package io.shardpress.jobs.costs;

import java.util.List;

/**
 * One stretch of a run: a stage of it, or one block's turn in that stage. What its jobs do not
 * cover is the driver's own time.
 *
 * @param stage as in the {@code seconds} of {@code run.json}
 * @param start seconds after the run's begin, on the driver's clock
 * @param end the same
 * @param jobs one after the other, within the stretch
 */
public record StageCosts(String stage, double start, double end, List<JobCosts> jobs) {

  /** Times are rounded to this many seconds when they are recorded. */
  private static final double RESOLUTION = 1e-3;

  public StageCosts {
    jobs = List.copyOf(jobs);
    requireDuration("The stage '%s'".formatted(stage), start, end);
    double before = start;
    for (JobCosts job : jobs) {
      if (job.start() < before - RESOLUTION || job.end() > end + RESOLUTION) {
        throw new IllegalArgumentException(
            "The job '%s' (%s s to %s s) is not between the job before it and the end of the stage '%s' (%s s to %s s)"
                .formatted(job.description(), job.start(), job.end(), stage, before, end));
      }
      before = job.end();
    }
  }

  static void requireDuration(String what, double start, double end) {
    if (!(start >= 0 && end >= start && end < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "%s goes from %s s to %s s; times are at least 0 and ends not before starts"
              .formatted(what, start, end));
    }
  }
}
