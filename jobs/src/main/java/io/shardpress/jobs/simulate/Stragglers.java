package io.shardpress.jobs.simulate;

import io.shardpress.common.error.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Tasks that take longer than they should, picked at random.
 *
 * @param share of all tasks, from 0 to 1
 * @param factor how much longer, from 1 on
 */
public record Stragglers(double share, double factor, long seed) {
  /** Every task takes what it took. */
  public static final Stragglers NONE = new Stragglers(0, 1, 0);

  public Stragglers {
    if (!(share >= 0 && share <= 1 && factor >= 1 && factor <= 1e6)) {
      throw new UsageException(
          "Stragglers are a share of the tasks from 0 to 1 and take from 1 to 1,000,000 times as long; %s of them that take %s times as long were asked for."
              .formatted(share, factor));
    }
  }

  /** The same tasks, of which some take longer: the same ones whatever they run on. */
  Workload among(Workload workload) {
    if (share == 0) {
      return workload;
    }
    SplittableRandom random = new SplittableRandom(seed);
    List<Stretch> stretches = new ArrayList<>();
    for (Stretch stretch : workload.stretches()) {
      List<Job> jobs = new ArrayList<>();
      for (Job job : stretch.jobs()) {
        jobs.add(
            new Job(
                job.description(),
                job.kind(),
                job.seconds().stream()
                    .map(task -> random.nextDouble() < share ? task * factor : task)
                    .toList()));
      }
      stretches.add(new Stretch(stretch.stage(), stretch.driverSeconds(), jobs));
    }
    return new Workload(stretches, workload.coresPerTask());
  }
}
