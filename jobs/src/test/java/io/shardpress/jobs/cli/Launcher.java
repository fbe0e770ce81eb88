package io.shardpress.jobs.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The {@code shardpress} command of this working copy, run as a process of its own. */
final class Launcher {
  static final Path HOME = Path.of("..").toAbsolutePath().normalize();
  static final Path TARGET = HOME.resolve("jobs/target");
  static final Path APPLICATION_JAR = TARGET.resolve("shardpress-app.jar");

  private Launcher() {}

  /** What a process ended with; {@code output} is standard output and error together. */
  record Ended(int exitCode, String output) {}

  /** Skips the test unless the application jar was packed from the sources as they are. */
  static void requireApplicationJar() throws IOException {
    Assumptions.assumeTrue(
        Files.exists(APPLICATION_JAR),
        "There is no application jar; `mvn -Pdist verify` packs and tests it");
    FileTime packed = Files.getLastModifiedTime(APPLICATION_JAR);
    FileTime built = Files.getLastModifiedTime(TARGET.resolve("dependencies.classpath"));
    FileTime changed = newestSource();
    Assumptions.assumeTrue(
        changed.compareTo(built) < 0 && built.compareTo(packed) < 0,
        "The application jar is older than the sources; `mvn -Pdist verify` packs and tests it");
  }

  private static FileTime newestSource() throws IOException {
    List<FileTime> times = new ArrayList<>();
    for (String root :
        List.of("pom.xml", "conf", "common/pom.xml", "operators/pom.xml", "jobs/pom.xml")) {
      collect(HOME.resolve(root), times);
    }
    for (String module : List.of("common", "operators", "jobs")) {
      collect(HOME.resolve(module).resolve("src/main"), times);
    }
    return times.stream().max(Comparator.naturalOrder()).orElseThrow();
  }

  private static void collect(Path root, List<FileTime> times) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        times.add(Files.getLastModifiedTime(file));
      }
    }
  }

  /** Runs the command in {@code directory}, without a Spark distribution of the machine's. */
  static Ended run(Path directory, List<String> arguments)
      throws IOException, InterruptedException {
    return run(directory, arguments, "");
  }

  /** The same, with {@code javaOptions} for a run inside one process. */
  static Ended run(Path directory, List<String> arguments, String javaOptions)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(HOME.resolve("shardpress").toString()));
    command.addAll(arguments);
    File output = Files.createTempFile(directory, "shardpress", ".log").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output);
    builder.environment().remove("SPARK_HOME");
    builder.environment().put("SHARDPRESS_JAVA_OPTS", javaOptions);
    Process process = builder.start();
    try {
      if (!process.waitFor(3, TimeUnit.MINUTES)) {
        throw new AssertionError(
            "No end after three minutes: " + Files.readString(output.toPath()));
      }
      return new Ended(process.exitValue(), Files.readString(output.toPath()));
    } finally {
      process.destroyForcibly();
    }
  }
}
