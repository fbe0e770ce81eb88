package io.shardpress.jobs.run;

import java.time.Duration;
import java.util.Locale;

/** Durations as people read them. */
public final class Durations {
  private Durations() {}

  /** {@code 12.4 s}, {@code 3 min 20 s} or {@code 2 h 05 min}. */
  public static String text(Duration duration) {
    long tenths = Math.round(duration.toMillis() / 100.0);
    if (tenths < 600) {
      return String.format(Locale.ROOT, "%.1f s", tenths / 10.0);
    }
    long seconds = Math.round(duration.toMillis() / 1000.0);
    if (seconds < 3600) {
      return "%d min %02d s".formatted(seconds / 60, seconds % 60);
    }
    long minutes = Math.round(seconds / 60.0);
    return "%d h %02d min".formatted(minutes / 60, minutes % 60);
  }
}
