package io.shardpress.jobs.cli;

import io.shardpress.common.storage.Location;
import io.shardpress.jobs.archive.ArchiveJob;
import io.shardpress.jobs.archive.Figures;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "archive",
    mixinStandardHelpOptions = true,
    description =
        "Writes a checkpoint, dense or compressed, in a smaller lossless form for storage; restore"
            + " gives every file of it back.")
final class ArchiveCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "<checkpoint>", description = "The folder to archive.")
  private String checkpoint;

  @Parameters(
      index = "1",
      paramLabel = "<archive>",
      description = "The folder for the archive; empty or absent.")
  private String archive;

  @Mixin private SparkOptions spark;

  @Override
  public Integer call() {
    Progress progress = Progress.ofProcess(System.out);
    try (Session session = Session.start(spark.settings())) {
      Location place = Location.of(archive);
      Figures figures = new ArchiveJob(session, progress).run(Location.of(checkpoint), place);
      progress.say(figures.text());
      progress.say("archive  " + place);
    }
    return 0;
  }
}
