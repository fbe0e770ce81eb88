package io.shardpress.jobs.cli;

import io.shardpress.common.error.ShardpressException;
import io.shardpress.jobs.run.Versions;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line's entry point; exit codes are in the README. */
@Command(
    name = "shardpress",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Compresses transformer checkpoints on Apache Spark.",
    synopsisSubcommandLabel = "<command>",
    subcommands = {
      PlanCommand.class,
      ExplainCommand.class,
      CompressCommand.class,
      CalibrateCommand.class,
      EvaluateCommand.class,
      VerifyCommand.class,
      SimulateCommand.class,
      DoctorCommand.class,
      StatsCommand.class,
      CleanCommand.class,
      ArchiveCommand.class,
      RestoreCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "Options after -- go to spark-submit: shardpress compress recipe.conf -- --master yarn"
    })
public final class Main {
  private static final int USAGE = 1;
  private static final int ENVIRONMENT = 3;
  private static final int INTERNAL = 70;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private Main() {}

  /**
   * Returns on success, and exits with the code on failure. Where a cluster runs the driver it
   * throws instead, because there an exit reads as a lost driver and not as a failed application.
   */
  public static void main(String[] arguments) {
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitEnd(ended), "await-end"));
    int code;
    try {
      code = run(arguments);
    } finally {
      ended.countDown();
    }
    if (code != 0 && "cluster".equals(System.getProperty("spark.submit.deployMode"))) {
      throw new IllegalStateException(
          "shardpress ended with exit code %d; its message is in the driver's standard error."
              .formatted(code));
    }
    if (code != 0) {
      System.exit(code);
    }
  }

  /** A process that is told to end stops Spark, and so the run; the run tidies up behind itself. */
  private static void awaitEnd(CountDownLatch ended) {
    try {
      if (!ended.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        System.err.println(
            "shardpress: stopped before the run had tidied up; its work is left in _staging.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Runs one command and returns its exit code; for programs that stay alive after it. */
  public static int run(String... arguments) {
    CommandLine line = new CommandLine(new Main());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler((error, unused) -> usage(error));
    line.setExecutionExceptionHandler((error, command, result) -> report(error, command));
    line.setExecutionStrategy(
        parsed -> {
          if (!parsed.hasSubcommand()
              && !parsed.isUsageHelpRequested()
              && !parsed.isVersionHelpRequested()) {
            parsed.commandSpec().commandLine().usage(System.err);
            return USAGE;
          }
          return new CommandLine.RunLast().execute(parsed);
        });
    return line.execute(arguments);
  }

  private static int usage(ParameterException error) {
    PrintWriter err = error.getCommandLine().getErr();
    err.println("shardpress: " + error.getMessage());
    if (!UnmatchedArgumentException.printSuggestions(error, err)) {
      err.println(
          "Run 'shardpress help%s' for what can be given."
              .formatted(
                  error.getCommandLine().getParent() == null
                      ? ""
                      : " " + error.getCommandLine().getCommandName()));
    }
    return USAGE;
  }

  private static int report(Exception error, CommandLine command) {
    if (error instanceof ShardpressException known) {
      command.getErr().println("shardpress: " + known.getMessage());
      return known.exitCode();
    }
    if (ShutdownHookManager.get().isShutdownInProgress()) { // nothing works any more
      command
          .getErr()
          .println(
              "shardpress: cut short, because this process was told to end. Start the same command"
                  + " again to go on.");
      return ENVIRONMENT;
    }
    LoggerFactory.getLogger(Main.class).error("Internal error", error);
    command
        .getErr()
        .println(
            "shardpress: internal error (%s). This is a fault in Shardpress; please report it with the lines above."
                .formatted(error));
    return INTERNAL;
  }

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"shardpress " + Versions.shardpress()};
    }
  }
}
