package io.shardpress.jobs.job;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.jobs.job.Doctor.Finding;
import io.shardpress.jobs.job.Doctor.Health;
import io.shardpress.jobs.recipe.DataSize;
import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.Natives;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Looks at the native libraries: where they are unpacked, which load, and what memory they get. */
final class NativeChecks {
  private static final DataSize UNPACKED = new DataSize(600_000_000);

  private NativeChecks() {}

  /** The folder first, because it is what most often is wrong with the rest. */
  static List<Finding> examine(KernelChoice wanted) {
    List<Finding> findings = new ArrayList<>();
    findings.add(cache(Path.of(Natives.cacheDirectory())));
    Finding chosen = chosen(wanted);
    findings.add(chosen);
    Kernels.trials().forEach(trial -> findings.add(trial(trial, chosen)));
    findings.add(memory());
    return findings;
  }

  static Finding cache(Path directory) {
    try {
      Files.createDirectories(directory);
      if (!Files.isWritable(directory)) {
        return cacheFinding(Health.WARN, directory, "cannot be written");
      }
      DataSize free = new DataSize(Files.getFileStore(directory).getUsableSpace());
      return free.bytes() < UNPACKED.bytes()
          ? cacheFinding(Health.WARN, directory, "has only %s left".formatted(free))
          : new Finding(Health.OK, "native cache", "%s, %s free".formatted(directory, free));
    } catch (IOException e) {
      return cacheFinding(Health.WARN, directory, "cannot be made: " + e);
    }
  }

  private static Finding cacheFinding(Health health, Path directory, String why) {
    return new Finding(
        health,
        "native cache",
        "%s %s, and libraries take %s: set SHARDPRESS_NATIVES (or -D%s) to another folder"
            .formatted(directory, why, UNPACKED, Natives.CACHE_DIRECTORY));
  }

  private static Finding chosen(KernelChoice wanted) {
    String what = "kernels";
    try {
      String source =
          wanted == KernelChoice.AUTO && wanted.resolved() != KernelChoice.AUTO
              ? "-D" + KernelChoice.PROPERTY
              : "run.kernels";
      return new Finding(
          Health.OK,
          what,
          "%s (%s = %s)".formatted(Kernels.description(wanted), source, wanted.resolved().text()));
    } catch (EnvironmentException e) {
      return new Finding(Health.FAIL, what, e.getMessage());
    }
  }

  /** One that does not load is a fault only where the recipe asks for it, and slow elsewhere. */
  private static Finding trial(Kernels.Trial trial, Finding chosen) {
    String what = "  " + trial.provider().text();
    if (trial.loads()) {
      return new Finding(Health.OK, what, "loads");
    }
    boolean told = trial.text().equals(chosen.state());
    return new Finding(Health.WARN, what, told ? "does not load: see kernels above" : trial.text());
  }

  private static Finding memory() {
    DataSize heap = new DataSize(Runtime.getRuntime().maxMemory());
    try {
      return new Finding(
          Health.OK,
          "memory",
          "heap of at most %s; with weights and Grams at most %s"
              .formatted(heap, new DataSize(Natives.memoryLimit())));
    } catch (LinkageError e) {
      return new Finding(Health.OK, "memory", "heap of at most %s".formatted(heap));
    }
  }
}
