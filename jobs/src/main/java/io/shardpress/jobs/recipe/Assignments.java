package io.shardpress.jobs.recipe;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOriginFactory;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import io.shardpress.common.config.Hocon;
import io.shardpress.common.error.Printable;
import io.shardpress.common.error.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * {@code --set key=value}: keys are paths, in which a number picks an element of a list ({@code
 * steps.0.gptq.bits=3}); values are HOCON, or plain text where they do not look like it.
 */
final class Assignments {
  private static final String ORIGIN = "--set";
  private static final int LONGEST_KEY = 1_000;
  private static final int LONGEST = 1 << 16;
  private static final Pattern LOOKS_LIKE_HOCON =
      Pattern.compile("(?s)[\\[{\"].*|-?\\d+(\\.\\d+)?([eE]-?\\d+)?|true|false|null");

  private Assignments() {}

  /** {@code config} with the assignments made, in order. */
  static Config apply(Config config, List<String> assignments) {
    ConfigValue root = config.root();
    for (String assignment : assignments) {
      int equals = assignment.indexOf('=');
      if (assignment.length() > LONGEST) {
        throw new UsageException(
            "--set %s: %d characters are more than the %d that are read. Write it into the recipe."
                .formatted(Printable.excerpt(assignment), assignment.length(), LONGEST));
      }
      if (equals < 1) {
        throw new UsageException(
            "--set needs key=value, not '%s'. Write for example --set calibration.sequences=64."
                .formatted(Printable.excerpt(assignment)));
      }
      List<String> path = path(assignment.substring(0, equals).strip(), assignment);
      root = assign(root, path, value(assignment.substring(equals + 1).strip()), assignment);
    }
    return ((ConfigObject) root).toConfig();
  }

  private static List<String> path(String key, String assignment) {
    if (key.length() > LONGEST_KEY) { // the parser calls itself for each part
      throw new UsageException(
          "--set %s: a key of %d characters is longer than any setting's. Write for example --set calibration.sequences=64."
              .formatted(Printable.excerpt(assignment), key.length()));
    }
    try {
      return ConfigUtil.splitPath(key);
    } catch (ConfigException e) {
      throw new UsageException(
          "--set %s: '%s' is not a key: %s. Write for example --set calibration.sequences=64."
              .formatted(
                  Printable.excerpt(assignment),
                  Printable.excerpt(key),
                  Printable.excerpt(String.valueOf(e.getMessage()))),
          e);
    }
  }

  private static ConfigValue value(String text) {
    return LOOKS_LIKE_HOCON.matcher(text).matches()
        ? Hocon.resolve(Hocon.parse("value = " + text, ORIGIN))
            .root()
            .get("value")
            .withOrigin(ConfigOriginFactory.newSimple(ORIGIN))
        : ConfigValueFactory.fromAnyRef(text, ORIGIN);
  }

  private static ConfigValue assign(
      ConfigValue node, List<String> path, ConfigValue value, String assignment) {
    if (path.isEmpty()) {
      return value;
    }
    String key = path.get(0);
    List<String> rest = path.subList(1, path.size());
    if (node instanceof ConfigList list) {
      List<ConfigValue> elements = new ArrayList<>(list);
      int index = index(key, elements.size(), assignment);
      elements.set(index, assign(elements.get(index), rest, value, assignment));
      return ConfigValueFactory.fromIterable(elements, list.origin().description());
    }
    ConfigObject object =
        node instanceof ConfigObject known ? known : ConfigValueFactory.fromMap(Map.of(), ORIGIN);
    ConfigValue child = object.get(key);
    ConfigValue start = child == null ? ConfigValueFactory.fromMap(Map.of(), ORIGIN) : child;
    return object.withValue(key, assign(start, rest, value, assignment));
  }

  private static int index(String key, int size, String assignment) {
    if (key.matches("\\d{1,6}") && Integer.parseInt(key) < size) {
      return Integer.parseInt(key);
    }
    throw new UsageException(
        size == 0
            ? "--set %s: the list is empty, so '%s' picks nothing. Set the whole list."
                .formatted(Printable.excerpt(assignment), Printable.excerpt(key))
            : "--set %s: '%s' does not pick an element of the list. Write a number from 0 to %d."
                .formatted(Printable.excerpt(assignment), Printable.excerpt(key), size - 1));
  }
}
