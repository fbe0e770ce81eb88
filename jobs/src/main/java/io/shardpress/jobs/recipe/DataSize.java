package io.shardpress.jobs.recipe;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes, written with a unit: {@code 500MB}, {@code 5 GB} (powers of ten) or {@code
 * 5GiB} (powers of two).
 */
public record DataSize(long bytes) {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,15})\\s*([kKmMgGtT]i?)?[bB]?");
  private static final Map<String, Long> UNITS =
      Map.of(
          "k",
          1_000L,
          "m",
          1_000_000L,
          "g",
          1_000_000_000L,
          "t",
          1_000_000_000_000L,
          "ki",
          1L << 10,
          "mi",
          1L << 20,
          "gi",
          1L << 30,
          "ti",
          1L << 40);

  public DataSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("A size must not be negative: " + bytes);
    }
  }

  /** Reads {@code 5GB}, {@code 512MiB}, {@code 1000000}; at least one byte. */
  public static DataSize parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'%s' is not a size. Write a whole number with a unit, like 512MB or 5GiB"
              .formatted(text));
    }
    long unit = matcher.group(2) == null ? 1 : UNITS.get(matcher.group(2).toLowerCase(Locale.ROOT));
    try {
      long bytes = Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
      if (bytes == 0) {
        throw new IllegalArgumentException("A size must be at least one byte, not " + text);
      }
      return new DataSize(bytes);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("'%s' is more than 8 EiB".formatted(text), e);
    }
  }

  @Override
  public String toString() {
    String[] units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }
}
