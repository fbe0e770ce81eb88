package io.shardpress.jobs.notebook;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs every notebook headless, with the class path of the tests and errors not allowed. */
class NotebookTest {
  private static final Path HOME = Path.of("..").toAbsolutePath().normalize();
  private static final Path TARGET = HOME.resolve("jobs/target");
  private static final Path JUPYTER = TARGET.resolve("jupyter");

  /**
   * Prints the text outputs, which the message of a failing test then shows. The kernel listens a
   * moment before it can answer, and never answers when a request comes in between: it gets a
   * second's head start once it listens, and other tries when that was too short; when none gets an
   * answer, the program ends with {@link #NO_ANSWER}.
   */
  private static final String RUN =
      """
      import socket, sys, time, nbformat, nbclient

      def wait_until_listening(kernel):
          for _ in range(600):
              try:
                  socket.create_connection(('127.0.0.1', kernel.shell_port)).close()
                  time.sleep(1)
                  return
              except OSError:
                  time.sleep(0.1)

      book = nbformat.read(sys.argv[1], as_version=4)
      for attempt in range(3):
          client = nbclient.NotebookClient(book, timeout=120, startup_timeout=30, kernel_name='java')
          client.create_kernel_manager()
          client.start_new_kernel()
          wait_until_listening(client.km)
          try:
              client.execute()
              break
          except RuntimeError as error:
              if 'respond' not in str(error):
                  raise
              if attempt == 2:
                  print(error)
                  sys.exit(75)
      for cell in book.cells:
          for output in cell.get('outputs', []):
              print(output.get('text', ''), end='')
      """;

  /** The exit code for a kernel that never got ready; a notebook cannot cause it. */
  private static final int NO_ANSWER = 75;

  @TempDir private static Path directory;

  static List<Path> notebooks() throws IOException {
    try (Stream<Path> files = Files.list(HOME.resolve("notebooks"))) {
      return files.filter(file -> file.toString().endsWith(".ipynb")).sorted().toList();
    }
  }

  @BeforeAll
  static void writeKernel() throws IOException {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Map<String, Object> kernel =
        Map.of(
            "argv",
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + TARGET.resolve("shardpress.args"),
                "-Xmx1g",
                "-Dlog4j2.configurationFile=" + HOME.resolve("conf/log4j2.properties"),
                "-cp",
                classPath + File.pathSeparator + JUPYTER.resolve("kernel.jar"),
                "org.rapaio.jupyter.kernel.MainApp",
                "{connection_file}"),
            "display_name",
            "Java (Shardpress)",
            "language",
            "java",
            "interrupt_mode",
            "message",
            "env",
            Map.of("SHARDPRESS_HOME", HOME.toString()));
    Path spec = Files.createDirectories(JUPYTER.resolve("kernels").resolve("java"));
    new ObjectMapper().writeValue(spec.resolve("kernel.json").toFile(), kernel);
  }

  @ParameterizedTest
  @MethodSource("notebooks")
  void runs_without_an_error(Path notebook) throws Exception {
    Optional<String> python = pythonWithNbclient();
    Assumptions.assumeTrue(
        python.isPresent(),
        "No Python with nbclient: apt-get install python3-nbclient, or pip install nbclient");

    Ended ended = run(List.of(python.orElseThrow(), "-c", RUN, notebook.toString()));

    Assumptions.assumeTrue(
        ended.exitCode() != NO_ANSWER, "The kernel never got ready: " + ended.output());
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    assertThat(ended.output()).isNotBlank();
  }

  @ParameterizedTest
  @MethodSource("notebooks")
  void is_stored_without_outputs(Path notebook) throws IOException {
    for (JsonNode cell : new ObjectMapper().readTree(notebook.toFile()).get("cells")) {
      assertThat(cell.path("outputs")).as(cell.toString()).isEmpty();
      assertThat(cell.path("execution_count").asInt()).as(cell.toString()).isZero();
    }
  }

  /** The first on the path may be a virtual environment without it. */
  private static Optional<String> pythonWithNbclient() throws Exception {
    for (String python : List.of("python3", "/usr/bin/python3")) {
      try {
        if (run(List.of(python, "-c", "import nbclient, nbformat")).exitCode() == 0) {
          return Optional.of(python);
        }
      } catch (IOException e) {
        // No such program: the next one may be there.
      }
    }
    return Optional.empty();
  }

  private record Ended(int exitCode, String output) {}

  private static Ended run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile(directory, "notebook", ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().put("JUPYTER_PATH", JUPYTER.toString());
    Process process = builder.start();
    try {
      boolean ended = process.waitFor(10, TimeUnit.MINUTES);
      assertThat(ended).as("no end after ten minutes: " + Files.readString(output)).isTrue();
      return new Ended(process.exitValue(), Files.readString(output));
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
