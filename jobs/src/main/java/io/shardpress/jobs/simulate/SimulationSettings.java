package io.shardpress.jobs.simulate;

import io.shardpress.common.error.UsageException;
import java.util.List;

/**
 * What to replay a run on.
 *
 * @param executors how many, one replay each
 * @param coresPerExecutor of each of them
 * @param whatIf of which model and data
 * @param stragglers tasks that take longer
 * @param shared the part of a task's work that idle cores of its executor take over, from 0 to 1
 */
public record SimulationSettings(
    List<Integer> executors,
    int coresPerExecutor,
    WhatIf whatIf,
    Stragglers stragglers,
    double shared) {

  public SimulationSettings {
    executors = executors.stream().sorted().distinct().toList();
    if (executors.isEmpty()) {
      throw new UsageException("No number of executors is given. Give --executors 8,64,512.");
    }
    if (!(shared >= 0 && shared <= 1)) {
      throw new UsageException(
          "--shared is a part from 0 to 1, and %s was given.".formatted(shared));
    }
  }
}
