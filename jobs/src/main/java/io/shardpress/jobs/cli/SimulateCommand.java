package io.shardpress.jobs.cli;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.costs.RunCostsReader;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.simulate.ScalingPlot;
import io.shardpress.jobs.simulate.ScalingReport;
import io.shardpress.jobs.simulate.Simulation;
import io.shardpress.jobs.simulate.SimulationSettings;
import io.shardpress.jobs.simulate.Stragglers;
import io.shardpress.jobs.simulate.WhatIf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "simulate",
    mixinStandardHelpOptions = true,
    description =
        "Says how long a recorded run would take on other clusters, and what limits it: replays"
            + " the costs of its tasks, without Spark.")
final class SimulateCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "<run>",
      description = "The folder that the run published to, or its tasks.json.")
  private String run;

  @Option(
      names = "--executors",
      split = ",",
      paramLabel = "<count>",
      description = "Numbers of executors; default: ${DEFAULT-VALUE}.",
      defaultValue = "8,64,512")
  private List<Integer> executors;

  @Option(
      names = "--cores",
      paramLabel = "<count>",
      description = "Cores per executor; default: ${DEFAULT-VALUE}.",
      defaultValue = "4")
  private int cores;

  @Option(
      names = "--blocks",
      paramLabel = "<count>",
      description = "For a model of so many blocks like the recorded ones.")
  private Optional<Integer> blocks;

  @Option(
      names = "--sequences",
      paramLabel = "<count>",
      description = "For so many calibration sequences.")
  private Optional<Integer> sequences;

  @Option(
      names = "--shared",
      paramLabel = "<part>",
      description =
          "The part of a task's work, 0 to 1, that idle cores of its executor take over;"
              + " default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  private double shared;

  @Option(
      names = "--stragglers",
      paramLabel = "<share>",
      description = "The share of tasks, 0 to 1, that take longer; default: none.",
      defaultValue = "0")
  private double stragglers;

  @Option(
      names = "--straggler-factor",
      paramLabel = "<factor>",
      description = "How much longer these take; default: ${DEFAULT-VALUE}.",
      defaultValue = "3")
  private double stragglerFactor;

  @Option(
      names = "--seed",
      paramLabel = "<number>",
      description = "Picks them; default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  private long seed;

  @Option(names = "--plot", paramLabel = "<file.svg>", description = "Draw the speed-ups.")
  private Optional<String> plot;

  @Option(names = "--json", paramLabel = "<file>", description = "Write the figures as JSON.")
  private Optional<String> json;

  @Override
  public Integer call() {
    HadoopStore store = HadoopStore.of(new Configuration());
    SimulationSettings settings =
        new SimulationSettings(
            executors,
            cores,
            new WhatIf(optional(blocks), optional(sequences)),
            new Stragglers(stragglers, stragglerFactor, seed),
            shared);
    RunCosts costs = RunCostsReader.read(store, Location.of(run));
    ScalingReport report = Simulation.of(run, costs, settings);
    System.out.print(report.text());
    json.ifPresent(file -> Files.write(store, Location.of(file), Json.text(report)));
    plot.ifPresent(file -> Files.write(store, Location.of(file), ScalingPlot.svg(report)));
    return 0;
  }

  private static OptionalInt optional(Optional<Integer> value) {
    return value.map(OptionalInt::of).orElse(OptionalInt.empty());
  }
}
