package io.shardpress.jobs.job;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Versions;
import io.shardpress.jobs.run.Workspace;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;

/** Looks at everything a run will need, and says of each what is there or how to mend it. */
public final class Doctor {
  private Doctor() {}

  /** What a finding means for a run. */
  public enum Health {
    OK("ok"),
    /** The run can do, but not as it should. */
    WARN("warn"),
    FAIL("FAIL");

    private final String text;

    Health(String text) {
      this.text = text;
    }
  }

  /**
   * @param what the thing looked at
   * @param state what was found, or what is wrong and how to mend it
   */
  public record Finding(Health health, String what, String state) {
    /** One line for a terminal. */
    public String text() {
      return "%-4s %-12s %s".formatted(health.text, what, state);
    }
  }

  /** Examines this process and, where the recipe names them, its model and its output. */
  public static List<Finding> examine(HadoopStore store, Recipe recipe) {
    List<Finding> findings = new ArrayList<>();
    findings.add(java());
    Versions.software()
        .forEach(
            (name, version) -> {
              if (!name.equals("java")) {
                findings.add(new Finding(Health.OK, name, version));
              }
            });
    findings.addAll(NativeChecks.examine(recipe.run().kernels()));
    if (!recipe.model().isBlank()) {
      findings.add(model(store, Location.of(recipe.model())));
    }
    recipe.output().uri().ifPresent(uri -> findings.addAll(output(store, Location.of(uri))));
    return List.copyOf(findings);
  }

  private static Finding java() {
    int feature = Runtime.version().feature();
    return feature >= 17
        ? new Finding(Health.OK, "java", System.getProperty("java.version"))
        : new Finding(
            Health.FAIL, "java", "found %d; install a JDK 17 or newer".formatted(feature));
  }

  private static Finding model(Store store, Location model) {
    return attempt(
        "model",
        () -> {
          Checkpoint checkpoint = Checkpoint.open(store, model);
          return "%s: %d tensors in %d files"
              .formatted(model, checkpoint.names().size(), checkpoint.files().size());
        });
  }

  private static List<Finding> output(Store store, Location output) {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        attempt(
            "output",
            () -> {
              probe(store, output, probe -> write(store, probe));
              return output + ": can be written, listed and deleted";
            }));
    if (findings.get(0).health() == Health.OK) {
      findings.add(exclusive(store, output));
      leftovers(store, output).ifPresent(findings::add);
    }
    return findings;
  }

  /** Does something to a new file of the output, and leaves no trace of it. */
  private static <T> T probe(Store store, Location output, Function<Location, T> body) {
    Location probe = output.child(".shardpress-probe-" + UUID.randomUUID());
    Location made = store.exists(output) ? probe : topmostMissing(store, output);
    try {
      return body.apply(probe);
    } finally {
      store.delete(made);
    }
  }

  private static Finding exclusive(Store store, Location output) {
    boolean had = probe(store, output, probe -> ExclusiveCreation.isHadBy(store, probe));
    return had
        ? new Finding(Health.OK, "creation", "of two runs that publish there at once, one wins")
        : new Finding(
            Health.WARN,
            "creation",
            "this store lets two writers create the same file (for s3a: it ignores If-None-Match);"
                + " never give two runs at once the same output");
  }

  private static Optional<Finding> leftovers(Store store, Location output) {
    Location staging = output.child(Workspace.STAGING);
    int runs = store.list(staging).size();
    return runs == 0
        ? Optional.empty()
        : Optional.of(
            new Finding(
                Health.OK,
                "leftovers",
                "%d unfinished runs in %s; delete the folder unless one is still running"
                    .formatted(runs, staging)));
  }

  /** The first folder on the way to {@code folder} that writing into it would make. */
  private static Location topmostMissing(Store store, Location folder) {
    Location top = folder;
    while (!top.parent().path().equals("/") && !store.exists(top.parent())) {
      top = top.parent();
    }
    return top;
  }

  private static Location write(Store store, Location probe) {
    try (OutputStream out = store.create(probe)) {
      out.write(1);
      return probe;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Finding attempt(String what, Supplier<String> look) {
    try {
      return new Finding(Health.OK, what, look.get());
    } catch (ShardpressException e) {
      return new Finding(Health.FAIL, what, e.getMessage());
    }
  }
}
