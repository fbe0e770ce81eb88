package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.cli.Main;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs commands inside this process and keeps what a user would see. */
public final class Cli {
  private Cli() {}

  /**
   * How a command ended.
   *
   * @param code what the process would exit with
   */
  public record Result(List<String> command, int code, String out, String err) {

    /** The command succeeded. */
    public Result succeeded() {
      assertThat(code).as(toString()).isZero();
      return this;
    }

    /**
     * The command ended with {@code expected}, and standard error is one paragraph that a user can
     * act on and that names all {@code parts}.
     */
    public Result refused(int expected, String... parts) {
      assertThat(code).as(toString()).isEqualTo(expected);
      assertThat(err.strip().lines()).as("one paragraph on stderr: " + this).hasSize(1);
      assertThat(err)
          .as(toString())
          .startsWith("shardpress: ")
          .contains(parts)
          .doesNotContain("Exception", "null", "\tat ", "internal error");
      return this;
    }

    @Override
    public String toString() {
      return "%s ended with %d%n--- stdout%n%s%n--- stderr%n%s".formatted(command, code, out, err);
    }
  }

  public static Result run(String... command) {
    PrintStream screen = System.out;
    PrintStream errors = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    int code;
    try {
      code = Main.run(command);
    } finally {
      System.setOut(screen);
      System.setErr(errors);
    }
    Result result =
        new Result(
            List.of(command),
            code,
            out.toString(StandardCharsets.UTF_8),
            err.toString(StandardCharsets.UTF_8));
    System.out.println(result);
    return result;
  }
}
