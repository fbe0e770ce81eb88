package io.shardpress.jobs.cli;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.statistics.Prune;
import io.shardpress.jobs.statistics.StatisticsReport;
import io.shardpress.jobs.statistics.StatisticsStore;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks after statistics that are kept for later runs. */
@Command(
    name = "stats",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "(list | show | prune)",
    description = "Lists, shows and removes statistics that are kept for later runs.")
final class StatsCommand implements Callable<Integer> {
  private static final int USAGE = 1;

  @picocli.CommandLine.Spec private picocli.CommandLine.Model.CommandSpec spec;

  /** Without a verb there is nothing to do. */
  @Override
  public Integer call() {
    spec.commandLine().usage(System.err);
    return USAGE;
  }

  private static StatisticsStore store(String directory) {
    return new StatisticsStore(HadoopStore.of(new Configuration()), Location.of(directory));
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "A line for every calibration that is kept.")
  int list(@Parameters(paramLabel = "<dir>", description = "calibration.statistics") String place) {
    System.out.print(StatisticsReport.list(store(place).list()));
    return 0;
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "What one calibration was made of, and what is kept of every input.")
  int show(
      @Parameters(paramLabel = "<dir>", description = "calibration.statistics") String place,
      @Parameters(paramLabel = "<address>", description = "Or the start of it.") String address) {
    System.out.print(StatisticsReport.show(store(place).named(address)));
    return 0;
  }

  @Command(
      name = "prune",
      mixinStandardHelpOptions = true,
      description =
          "Removes calibrations, and in any case what killed runs have left. Not to be used while"
              + " a run is adding to the store.")
  int prune(
      @Parameters(paramLabel = "<dir>", description = "calibration.statistics") String place,
      @Option(
              names = "--address",
              paramLabel = "<address>",
              description = "The calibration of this address, or of one that starts so.")
          Optional<String> address,
      @Option(
              names = "--older-than",
              paramLabel = "<days>",
              description = "Calibrations made more than so many days ago.")
          Optional<Integer> days,
      @Option(names = "--all", description = "Every calibration.") boolean all,
      @Option(names = "--dry-run", description = "Only say what would be removed.")
          boolean dryRun) {
    Prune prune = new Prune(store(place), Clock.systemUTC());
    System.out.print(
        StatisticsReport.pruned(
            prune.run(
                new Prune.Choice(address, days, all ? Prune.Which.ALL : Prune.Which.CHOSEN),
                dryRun ? Prune.Mode.DRY_RUN : Prune.Mode.REMOVE),
            dryRun ? "would be removed" : "removed"));
    return 0;
  }
}
