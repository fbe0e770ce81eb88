package io.shardpress.jobs.simulate;

import io.shardpress.jobs.run.Durations;
import java.time.Duration;
import java.util.Locale;

/** Seconds as people read them, also very few. */
final class Times {
  private Times() {}

  static String text(double seconds) {
    return seconds < 0.1
        ? String.format(Locale.ROOT, "%.1f ms", 1000 * seconds)
        : Durations.text(Duration.ofMillis(Math.round(1000 * seconds)));
  }
}
