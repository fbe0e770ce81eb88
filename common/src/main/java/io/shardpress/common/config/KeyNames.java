package io.shardpress.common.config;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Spelling of keys, and the nearest known one for a misspelt one. */
public final class KeyNames {
  private static final int LONGEST = 100;

  private KeyNames() {}

  /** {@code groupSize} → {@code group-size}. */
  static String dashed(String component) {
    return component.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }

  static String join(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** The known name that {@code name} probably meant, if one is near enough. */
  public static Optional<String> nearest(String name, List<String> known) {
    if (name.length() > LONGEST) {
      return Optional.empty();
    }
    String wanted = normal(name);
    return known.stream()
        .filter(candidate -> distance(wanted, normal(candidate)) <= Math.max(2, name.length() / 3))
        .min(Comparator.comparingInt(candidate -> distance(wanted, normal(candidate))));
  }

  private static String normal(String name) {
    return name.toLowerCase(Locale.ROOT).replace("_", "-");
  }

  /** Levenshtein distance. */
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(change, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
