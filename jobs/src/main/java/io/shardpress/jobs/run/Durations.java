package io.shardpress.jobs.run;

import java.time.Duration;
import java.util.Locale;

/** Durations as people read them. */
public final class Durations {
  private Durations() {}

  /** {@code 12.4 s}, {@code 3 min 20 s} or {@code 2 h 05 min}. */
  public static String text(Duration duration) {
    if (duration.toSeconds() < 60) {
      return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
    }
    if (duration.toMinutes() < 60) {
      return "%d min %02d s".formatted(duration.toMinutes(), duration.toSecondsPart());
    }
    return "%d h %02d min".formatted(duration.toHours(), duration.toMinutesPart());
  }
}
