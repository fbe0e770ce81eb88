package io.shardpress.common.config;

import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigValue;

/** Where a value was written. */
public final class Origins {
  private Origins() {}

  /** {@code file:line}, or what describes the source best. */
  public static String of(ConfigValue value) {
    ConfigOrigin origin = value.origin();
    String description = origin.description();
    int line = origin.lineNumber();
    // The library's own description ends in ": line" and merges several sources; keep the first.
    String source = description.replaceFirst("(?s)^merge of ", "").replaceFirst(",.*$", "");
    String file = source.replaceFirst(": \\d+(-\\d+)?$", "");
    return line > 0 ? file + ":" + line : file;
  }
}
