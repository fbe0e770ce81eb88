package io.shardpress.common.config;

import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigValue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a value was written. */
public final class Origins {
  private static final Pattern PLACED = Pattern.compile("(?s)(?<file>.*): (?<line>\\d+)(-\\d+)?");

  private Origins() {}

  /** {@code file:line}, or what describes the source best. */
  public static String of(ConfigValue value) {
    ConfigOrigin origin = value.origin();
    // The library's own description ends in ": line" and merges several sources; keep the first.
    String source =
        origin.description().replaceFirst("(?s)^merge of ", "").replaceFirst(",.*$", "");
    Matcher placed = PLACED.matcher(source);
    if (placed.matches()) {
      return placed.group("file") + ":" + placed.group("line");
    }
    return origin.lineNumber() > 0 ? source + ":" + origin.lineNumber() : source;
  }
}
