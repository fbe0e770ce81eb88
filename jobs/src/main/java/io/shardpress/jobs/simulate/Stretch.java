package io.shardpress.jobs.simulate;

import java.util.List;

/**
 * A part of a run: jobs one after the other, and what the driver does alone before, between and
 * after them.
 *
 * @param driverSeconds that no executor shortens
 */
record Stretch(String stage, double driverSeconds, List<Job> jobs) {
  Stretch {
    jobs = List.copyOf(jobs);
  }
}
