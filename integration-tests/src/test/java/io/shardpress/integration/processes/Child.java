package io.shardpress.integration.processes;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.integration.Home;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A command of Shardpress in a JVM of its own, with the class path of these tests. */
final class Child implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 300;
  private static final Path LOG = Home.root().resolve("conf/log4j2.properties");

  private final Process process;
  private final Path errors;
  private final List<String> lines = new ArrayList<>();
  private final BufferedReader out;

  private Child(Process process, Path errors) {
    this.process = process;
    this.errors = errors;
    this.out = process.inputReader(StandardCharsets.UTF_8);
  }

  /** What a process ended with. */
  record Ended(int code, List<String> out, String err) {
    Ended withCode(int expected) {
      assertThat(code).as(toString()).isEqualTo(expected);
      return this;
    }

    @Override
    public String toString() {
      return "ended with %d%n--- stdout%n%s%n--- stderr%n%s"
          .formatted(code, String.join("\n", out), err);
    }
  }

  /** Starts a command with Spark inside the process. */
  static Child start(Path folder, String... command) {
    return start(folder, LOG, List.of("io.shardpress.jobs.cli.Main"), command);
  }

  /** Starts a command as {@code spark-submit} with {@code options} does. */
  static Child submit(Path folder, List<String> options, String... command) {
    List<String> words = new ArrayList<>(List.of("org.apache.spark.deploy.SparkSubmit"));
    words.addAll(options);
    words.addAll(List.of("--class", "io.shardpress.jobs.cli.Main", "spark-internal"));
    return start(folder, LOG, words, command);
  }

  /** Starts a server of Spark, which tells on standard output what it does. */
  static Child server(Path folder, String mainClass, String... arguments) {
    Path log = Home.root().resolve("integration-tests/src/test/resources/servers.properties");
    return start(folder, log, List.of(mainClass), arguments);
  }

  private static Child start(Path folder, Path log, List<String> words, String... command) {
    List<String> all =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "@" + Home.root().resolve("jobs/target/shardpress.args"),
                "-Xmx512m",
                // Short lives: what the optimizing compiler finds out would come too late.
                "-XX:TieredStopAtLevel=1",
                "-Dlog4j2.configurationFile=" + log,
                "-cp",
                System.getProperty("java.class.path")));
    all.addAll(words);
    all.addAll(List.of(command));
    try {
      Path errors = Files.createTempFile(folder, "child", ".err");
      ProcessBuilder builder = new ProcessBuilder(all).directory(folder.toFile());
      builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
      builder.environment().put("SPARK_HOME", sparkHome().toString());
      builder.environment().put("SPARK_SCALA_VERSION", "2.13");
      builder.redirectError(errors.toFile());
      return new Child(builder.start(), errors);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** The folders of our class path, which a process needs besides the jars of its Spark. */
  static String foldersOfClasses() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> Files.isDirectory(Path.of(entry)))
        .reduce((a, b) -> a + File.pathSeparator + b)
        .orElse("");
  }

  /** What Spark takes for a distribution: the jars of our class path, linked; one for this JVM. */
  private static Path sparkHome() throws IOException {
    Path home =
        Home.root().resolve("integration-tests/target/spark-home-" + ProcessHandle.current().pid());
    if (!Files.exists(home)) {
      Path jars = Files.createDirectories(home.resolve("jars"));
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        Path jar = Path.of(entry);
        if (entry.endsWith(".jar") && Files.exists(jar)) {
          Files.createSymbolicLink(jars.resolve(jar.getFileName()), jar.toAbsolutePath());
        }
      }
      Files.writeString(home.resolve("RELEASE"), "Spark, from the libraries of this build\n");
    }
    return home;
  }

  /** The next line of standard output that begins so; fails when the process ends before. */
  String awaitLine(String start) {
    try {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        lines.add(line);
        if (line.startsWith(start)) {
          return line;
        }
      }
      throw new AssertionError("No line '" + start + "': " + end());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Reads what nobody waits for, that the process can go on writing. */
  Child drained() {
    Thread reader = new Thread(() -> out.lines().forEach(line -> {}), "drain");
    reader.setDaemon(true);
    reader.start();
    return this;
  }

  /** As {@code kill} does, or Ctrl-C. */
  void terminate() {
    process.toHandle().destroy(); // which leaves its output to be read
  }

  /** Waits for the end. */
  Ended end() {
    try {
      out.lines().forEach(lines::add);
      assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("ends").isTrue();
      return new Ended(process.exitValue(), List.copyOf(lines), Files.readString(errors));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
