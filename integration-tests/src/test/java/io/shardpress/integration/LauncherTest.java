package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The {@code shardpress} script as a user starts it: a process of its own. */
class LauncherTest {
  private static final int TERMINATED = 143;
  @TempDir private Path folder;

  /** A child that builds would build the classes that this very build is testing. */
  @BeforeAll
  static void requireCurrentBuild() throws IOException {
    Path built = Home.root().resolve("jobs/target/dependencies.classpath");
    assumeTrue(Files.exists(built), "jobs is not packaged: run mvn verify, not mvn test");
    FileTime time = Files.getLastModifiedTime(built);
    for (String source :
        List.of(
            "pom.xml",
            "common/pom.xml",
            "operators/pom.xml",
            "jobs/pom.xml",
            "common/src/main",
            "operators/src/main",
            "jobs/src/main",
            "conf")) {
      Optional<Path> newer = newer(Home.root().resolve(source), time);
      assumeTrue(newer.isEmpty(), () -> newer.get() + " was changed after the build");
    }
  }

  @Test
  void help() throws Exception {
    Ended help = run("help");

    assertThat(help.code()).as(help.toString()).isZero();
    assertThat(help.out()).contains("compress", "evaluate", "verify", "plan", "doctor");
    assertThat(help.err()).as(help.toString()).doesNotContain("Building", "Exception");
  }

  @Test
  void doctor() throws Exception {
    Ended doctor = run("doctor", Home.root().resolve("conf/quickstart.conf").toString());

    assertThat(doctor.code()).as(doctor.toString()).isZero();
    assertThat(doctor.out()).contains("java", "spark", "kernels", "model", "output");
    assertThat(doctor.out()).doesNotContain("FAIL");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void plan() throws Exception {
    Ended plan = run("plan", Home.root().resolve("conf/quickstart.conf").toString());

    assertThat(plan.code()).as(plan.toString()).isZero();
    assertThat(plan.out()).contains("28 to compress");
    assertThat(plan.err()).as(plan.toString()).isEmpty();
  }

  @Test
  void a_process_is_told_of_threads_and_memory_unless_the_user_has_told_it() throws Exception {
    Map<String, String> stub = Map.of("JAVA_HOME", javaThatShowsItsEnvironment().toString());
    Ended told = run(stub, "doctor");
    assertThat(told.out().lines())
        .contains("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
        .anyMatch(line -> line.startsWith("GLIBC_TUNABLES=glibc.malloc.mmap_threshold="));

    Map<String, String> own = new HashMap<>(stub);
    own.putAll(Map.of("OMP_NUM_THREADS", "3", "GLIBC_TUNABLES", "glibc.malloc.arena_max=2"));
    assertThat(run(own, "doctor").out().lines())
        .contains("OMP_NUM_THREADS=3", "GLIBC_TUNABLES=glibc.malloc.arena_max=2");
  }

  @Test
  void libraries_are_not_taken_from_a_folder_of_somebody_else() throws Exception {
    String user = run(Map.of("JAVA_HOME", javaThatShowsItsEnvironment().toString()), "uid").out();
    Path taken = folder.resolve("shardpress-natives-" + user.lines().findFirst().orElseThrow());
    Files.writeString(taken, "not a folder");

    Ended refused = run(Map.of("TMPDIR", folder.toString()), "doctor");
    assertThat(refused.code()).as(refused.toString()).isEqualTo(3);
    assertThat(refused.err())
        .isEqualTo(
            "shardpress: %s is not a folder of yours, and libraries in it would be run. Set SHARDPRESS_NATIVES to another folder.\n"
                .formatted(taken));
  }

  private Path javaThatShowsItsEnvironment() throws IOException {
    Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\nid -u\nenv\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    return folder.resolve("jdk");
  }

  @Test
  void wrong_path() throws Exception {
    Ended refused =
        run(
            "compress",
            Recipes.write(folder.resolve("r.conf"), folder.resolve("none"), Recipes.RTN),
            "--output",
            folder.resolve("output").toString());

    assertThat(refused.code()).as(refused.toString()).isEqualTo(2);
    assertThat(refused.err().strip().lines()).as(refused.toString()).hasSize(1);
    assertThat(refused.err()).startsWith("shardpress: ").contains(folder.resolve("none") + ":");
  }

  @Test
  void a_good_run_prints_nothing_but_its_progress_and_its_table() throws Exception {
    Ended run =
        run(
            "compress",
            Recipes.write(folder.resolve("r.conf"), Home.quickstart(), Recipes.RTN),
            "--output",
            folder.resolve("output").toString());

    assertThat(run.code()).as(run.toString()).isZero();
    assertThat(run.out()).contains("perplexity", "KL to dense", "28 compressed");
    assertThat(run.err()).as(run.toString()).isEmpty();
  }

  @Test
  void termination_in_the_middle_publishes_nothing() throws Exception {
    Path output = folder.resolve("output");
    String recipe = Recipes.write(folder.resolve("r.conf"), Home.quickstart(), Recipes.GPTQ);
    Process process =
        start(
            folder.resolve("err"),
            "compress",
            recipe,
            // Enough work not to be over before the signal arrives.
            "--set",
            "calibration.sequences=16",
            "--set",
            "calibration.length=512",
            "--output",
            output.toString());
    try {
      assertThat(awaitLine(process, "compress ")).as("the first compressed layer").isTrue();
      process.destroy();

      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends within a minute").isTrue();
      String err = Files.readString(folder.resolve("err"));
      assertThat(process.exitValue()).as(err).isEqualTo(TERMINATED);
      assertThat(err)
          .contains("shardpress: ", "cut short")
          .doesNotContain("internal error", "fault in Shardpress");
      assertThat(Folders.files(output))
          .allMatch(name -> name.startsWith("_staging/") || name.equals("run.json"));
      String status =
          new ObjectMapper().readTree(output.resolve("run.json").toFile()).path("status").asText();
      assertThat(status).as(err).isEqualTo("failed");
    } finally {
      process.destroyForcibly().waitFor();
    }

    Cli.run("verify", recipe, "--output", output.toString()).refused(2, "_SUCCESS.json");
    List<String> other =
        List.of(
            "compress",
            recipe,
            "--output",
            output.toString(),
            "--set",
            "steps=[{ rtn {} }]",
            "--set",
            "evaluation.data=[]");
    Cli.run(other.toArray(String[]::new)).refused(4, "unfinished run", "--restart");
    Cli.run(Stream.concat(other.stream(), Stream.of("--restart")).toArray(String[]::new))
        .succeeded();
    assertThat(Folders.files(output)).contains("_SUCCESS.json").noneMatch(n -> n.contains("/"));
  }

  private record Ended(int code, String out, String err) {}

  private Ended run(String... command) throws IOException, InterruptedException {
    return run(Map.of(), command);
  }

  private Ended run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    Path errors = folder.resolve("stderr.txt");
    Process process = start(errors, environment, command);
    try {
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ends").isTrue();
      return new Ended(process.exitValue(), out, Files.readString(errors));
    } finally {
      process.destroyForcibly();
    }
  }

  private Process start(Path errors, String... command) throws IOException {
    return start(errors, Map.of(), command);
  }

  private Process start(Path errors, Map<String, String> environment, String... command)
      throws IOException {
    List<String> all = new ArrayList<>(List.of(Home.root().resolve("shardpress").toString()));
    all.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(all);
    builder.directory(folder.toFile());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("SHARDPRESS_JAVA_OPTS", "-Xmx1g");
    List.of("GLIBC_TUNABLES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        .forEach(builder.environment()::remove);
    builder.environment().putAll(environment);
    builder.redirectError(errors.toFile());
    return builder.start();
  }

  private static boolean awaitLine(Process process, String start) throws IOException {
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.startsWith(start)) {
        return true;
      }
    }
    return false;
  }

  private static Optional<Path> newer(Path source, FileTime time) throws IOException {
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(
        source,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
            return path.endsWith("conf/quickstart")
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
            if (attributes.lastModifiedTime().compareTo(time) > 0) {
              found.add(path);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return found.stream().findFirst();
  }
}
