package io.shardpress.jobs.cli;

import io.shardpress.common.storage.Location;
import io.shardpress.jobs.archive.RestoreJob;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "restore",
    mixinStandardHelpOptions = true,
    description = "Gives back the checkpoint of an archive, every file byte for byte.")
final class RestoreCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "<archive>", description = "The folder of the archive.")
  private String archive;

  @Parameters(
      index = "1",
      paramLabel = "<folder>",
      description = "The folder for the checkpoint; empty or absent.")
  private String folder;

  @Mixin private SparkOptions spark;

  @Override
  public Integer call() {
    Progress progress = Progress.ofProcess(System.out);
    try (Session session = Session.start(spark.settings())) {
      Location place = Location.of(folder);
      int files = new RestoreJob(session, progress).run(Location.of(archive), place).size();
      progress.say("restored %d files in %s, hashes as archived".formatted(files, place));
    }
    return 0;
  }
}
