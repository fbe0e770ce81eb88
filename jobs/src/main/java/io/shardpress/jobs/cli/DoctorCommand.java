package io.shardpress.jobs.cli;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.jobs.job.Doctor;
import io.shardpress.jobs.job.Doctor.Health;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.spark.Session;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Checks Java, Spark, the numeric kernels, memory, and, with a recipe, its storage.")
final class DoctorCommand implements Callable<Integer> {
  private static final int ENVIRONMENT = 3;

  @Mixin private RecipeOptions recipe;

  @Override
  public Integer call() {
    HadoopStore store = HadoopStore.of(new Configuration());
    Recipe resolved = recipe.read(store);
    Session.prepareProcess();
    List<Doctor.Finding> findings = Doctor.examine(store, resolved);
    findings.forEach(finding -> System.out.println(finding.text()));
    return findings.stream().anyMatch(finding -> finding.health() == Health.FAIL) ? ENVIRONMENT : 0;
  }
}
