package io.shardpress.jobs.simulate;

import io.shardpress.jobs.costs.RunCosts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/** What has to hold for a replay to be right, in sentences. */
record Assumptions(
    RunCosts costs, SimulationSettings settings, Workload workload, Overheads overheads) {

  List<String> list() {
    List<String> list = new ArrayList<>();
    list.add(
        "Stages and jobs follow one another as recorded; a job's tasks start in the recorded order,"
            + " each on the next free core, and the job ends with the last of them.");
    list.add(
        "A task takes as long as it did, whatever else runs: storage and network keep up with any"
            + " number of executors (bytes are not recorded), and the cores are alike.");
    list.add(
        "Beside the work Spark takes %s per job, and per task %s of its core and %s of the driver (%s)."
            .formatted(
                Times.text(overheads.job()),
                Times.text(overheads.task()),
                Times.text(overheads.launch()),
                overheads.measured() ? "as in the recorded run" : "the usual figures"));
    list.add(sharing());
    list.add(
        "Tokenizing stays as it was, among the driver's time, because its tasks are not recorded;"
            + " starting Spark and its executors is left out.");
    if (settings.stragglers().share() > 0) {
      list.add(
          String.format(
              Locale.ROOT,
              "%.2f %% of the tasks, picked with the seed %d, take %.1f times as long.",
              100 * settings.stragglers().share(),
              settings.stragglers().seed(),
              settings.stragglers().factor()));
    }
    settings
        .whatIf()
        .blocks()
        .ifPresent(
            blocks ->
                list.add(
                    "%d blocks in place of %d, each like the recorded ones; weight files as large as recorded, and the driver's time outside of blocks in proportion."
                        .formatted(blocks, costs.blocks())));
    settings
        .whatIf()
        .sequences()
        .ifPresent(
            sequences ->
                list.add(
                    "%d sequences in place of %d, as more or fewer chunks of the same size; adding up their sums in proportion."
                        .formatted(sequences, costs.sequences())));
    if (!settings.whatIf().equals(WhatIf.NOTHING)) {
      strangers()
          .forEach(
              kind ->
                  list.add(
                      "How tasks of the kind %s grow is not known: they stay as they are."
                          .formatted(kind)));
    }
    return List.copyOf(list);
  }

  private String sharing() {
    String recorded =
        costs.coresPerExecutor() > costs.coresPerTask()
            ? " The recorded tasks may have used idle cores of their executors of %d already."
                .formatted(costs.coresPerExecutor())
            : "";
    String own =
        settings.shared() == 0
            ? "Cores that have no task stay idle; in a run a task of the same executor uses them,"
                + " too (--shared)."
            : String.format(
                Locale.ROOT,
                "Idle cores take over %.0f %% of the work of tasks of the same executor.",
                100 * settings.shared());
    return own + recorded;
  }

  private TreeSet<String> strangers() {
    TreeSet<String> kinds = new TreeSet<>();
    for (Stretch stretch : workload.stretches()) {
      stretch.jobs().forEach(job -> kinds.add(job.kind()));
    }
    kinds.removeIf(kind -> Growth.ofKind(kind).isPresent());
    return kinds;
  }
}
