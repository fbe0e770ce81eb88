package io.shardpress.jobs.simulate;

/**
 * The jobs of one kind in one stage, or the driver's own time in it, on a certain cluster.
 *
 * @param kind of the tasks; {@link #DRIVER} for the driver's own time
 * @param example the description of the job that took longest
 * @param jobs that run one after the other
 * @param tasks of all of them
 * @param widest the number of tasks of the job that has most
 * @param seconds that the jobs take
 * @param shortest seconds that they would take on any number of executors
 * @param overhead the seconds of {@code shortest} in which no task is at work
 * @param work seconds of all tasks
 * @param longest seconds of the longest task of all
 */
record Part(
    String stage,
    String kind,
    String example,
    int jobs,
    int tasks,
    int widest,
    double seconds,
    double shortest,
    double overhead,
    double work,
    double longest) {

  static final String DRIVER = "driver";

  static Part ofDriver(Stretch stretch) {
    double seconds = stretch.driverSeconds();
    return new Part(stretch.stage(), DRIVER, "", 0, 0, 0, seconds, seconds, seconds, 0, 0);
  }

  static Part of(String stage, Job job, Schedule schedule) {
    int tasks = job.seconds().size();
    double longest = job.seconds().stream().mapToDouble(Double::doubleValue).max().orElse(0);
    return new Part(
        stage,
        job.kind(),
        job.description(),
        1,
        tasks,
        tasks,
        schedule.seconds(job.seconds()),
        schedule.shortest(job.seconds()),
        schedule.overheads().job() + schedule.overheads().task(),
        job.work(),
        longest);
  }

  /** Both, one after the other. */
  Part with(Part other) {
    return new Part(
        stage,
        kind,
        longest >= other.longest ? example : other.example,
        jobs + other.jobs,
        tasks + other.tasks,
        Math.max(widest, other.widest),
        seconds + other.seconds,
        shortest + other.shortest,
        overhead + other.overhead,
        work + other.work,
        Math.max(longest, other.longest));
  }

  boolean isDriver() {
    return kind.equals(DRIVER);
  }
}
