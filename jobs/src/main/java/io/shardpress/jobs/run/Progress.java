package io.shardpress.jobs.run;

import java.io.PrintStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * Prints how far a run is: on a terminal one line redrawn in place, elsewhere a line per report but
 * at most one every few seconds. Used from one thread at a time.
 */
public final class Progress {
  private static final Duration QUIET = Duration.ofSeconds(5);
  private static final String CLEAR_LINE = "\r\u001b[K";

  /** How the output is read. */
  public enum Screen {
    TERMINAL,
    LOG
  }

  private final PrintStream out;
  private final Screen screen;
  private final Clock clock;
  private String stage = "";
  private double stageCost;
  private double doneCost;
  private Instant stageStart;
  private Instant lastLine = Instant.EPOCH;
  private boolean lineOpen;

  public Progress(PrintStream out, Screen screen, Clock clock) {
    this.out = out;
    this.screen = screen;
    this.clock = clock;
    this.stageStart = clock.instant();
  }

  /** The process's own screen: a terminal only where standard input and output are one. */
  @SuppressWarnings("SystemConsoleNull") // null is how Java 17 to 21 say that there is no terminal
  public static Progress ofProcess(PrintStream out) {
    return new Progress(
        out, System.console() == null ? Screen.LOG : Screen.TERMINAL, Clock.systemUTC());
  }

  /** Starts a stage of a known total cost, in any unit that {@link #advance} uses too. */
  public synchronized void begin(String name, double totalCost) {
    endLine();
    stage = name;
    stageCost = totalCost;
    doneCost = 0;
    stageStart = clock.instant();
    lastLine = Instant.EPOCH;
  }

  /** Reports a finished piece of the current stage, such as a layer. */
  public synchronized void advance(double cost, String what) {
    doneCost += cost;
    boolean last = doneCost >= stageCost * (1 - 1e-9);
    Instant now = clock.instant();
    if (screen == Screen.LOG && !last && Duration.between(lastLine, now).compareTo(QUIET) < 0) {
      return;
    }
    lastLine = now;
    double share = stageCost > 0 ? Math.min(1, doneCost / stageCost) : 1;
    String line =
        "%-10s %s | %3.0f %% | %s".formatted(stage, what, 100 * share, remaining(share, now));
    if (screen == Screen.TERMINAL) {
      out.print(CLEAR_LINE + line);
      out.flush();
      lineOpen = true;
      if (last) {
        endLine();
      }
    } else {
      out.println(line);
    }
  }

  /** Prints a line of its own. */
  public synchronized void say(String line) {
    endLine();
    out.println(line);
  }

  private void endLine() {
    if (lineOpen) {
      out.println();
      lineOpen = false;
    }
  }

  private String remaining(double share, Instant now) {
    Duration spent = Duration.between(stageStart, now);
    if (share >= 1) {
      return "took " + Durations.text(spent);
    }
    long left = Math.round(spent.toMillis() * (1 - share) / Math.max(share, 1e-6));
    return "ETA " + Durations.text(Duration.ofMillis(left));
  }
}
