package io.shardpress.common.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.shardpress.common.error.InputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Estimates, before substitutions are replaced, how large a configuration would become: a value
 * that names another twice, which names another twice, and so on, is a few lines that fill any
 * memory.
 */
final class Expansion {
  private static final int MOST_SUBSTITUTIONS = 300;
  private static final double MOST_CHARACTERS = 10_000_000;
  private static final Pattern SUBSTITUTION = Pattern.compile("\\$\\{\\??([^}]*)\\}");

  /** A value, and what it is made of. */
  private static final class Node {
    private double own;
    private final List<String> children = new ArrayList<>();
    private final List<String> substitutions = new ArrayList<>();
    private double size = -1;
  }

  private final Map<String, Node> nodes = new HashMap<>();
  private final Set<Node> open = new HashSet<>();
  private int substitutions;

  private Expansion() {}

  /** {@link InputException} for a configuration that would grow out of bounds. */
  static void check(Config config) {
    Expansion expansion = new Expansion();
    expansion.add(List.of(), config.root());
    if (expansion.substitutions > MOST_SUBSTITUTIONS) {
      throw new InputException(
          "%s has %d substitutions (${…} or +=); at most %d are replaced. Write the values out."
              .formatted(
                  config.origin().description(), expansion.substitutions, MOST_SUBSTITUTIONS));
    }
    if (expansion.substitutions > 0 && expansion.size("") > MOST_CHARACTERS) {
      throw new InputException(
          "%s would have more than %.0f characters once its substitutions (${…} or +=) are replaced. Write the values out."
              .formatted(config.origin().description(), MOST_CHARACTERS));
    }
  }

  private String add(List<String> path, ConfigValue value) {
    String key = path.isEmpty() ? "" : ConfigUtil.joinPath(path);
    Node node = new Node();
    nodes.put(key, node);
    try {
      if (value instanceof ConfigObject object) {
        for (Map.Entry<String, ConfigValue> entry : object.entrySet()) {
          node.own += entry.getKey().length();
          node.children.add(add(below(path, entry.getKey()), entry.getValue()));
        }
      } else if (value instanceof ConfigList list) {
        for (int i = 0; i < list.size(); i++) {
          node.children.add(add(below(path, String.valueOf(i)), list.get(i)));
        }
      } else {
        node.own = value.valueType() == ConfigValueType.NULL ? 4 : text(value).length();
      }
    } catch (ConfigException.NotResolved e) {
      addUnresolved(node, text(value));
    }
    node.own += 1;
    return key;
  }

  private void addUnresolved(Node node, String text) {
    node.children.clear();
    node.own = text.length();
    Matcher matcher = SUBSTITUTION.matcher(text);
    while (matcher.find()) {
      node.substitutions.add(matcher.group(1));
      substitutions++;
    }
  }

  private double size(String key) {
    Node node = nodes.get(key);
    if (node.size >= 0) {
      return node.size;
    }
    if (!open.add(node)) { // what it held before, perhaps: each mention may add to it
      return node.own * Math.pow(3, node.substitutions.size() / 3.0);
    }
    double size = node.own;
    for (String child : node.children) {
      size += size(child);
    }
    for (String substitution : node.substitutions) {
      size += target(substitution);
    }
    open.remove(node);
    node.size = size;
    return size;
  }

  /** A path within an included document may count from there, or from the top. */
  private double target(String substitution) {
    List<String> path;
    try {
      path = ConfigUtil.splitPath(substitution);
    } catch (ConfigException e) {
      return 1;
    }
    double largest = 1; // an environment variable
    for (int from = 0; from < path.size(); from++) {
      for (int to = path.size(); to > from; to--) {
        String key = ConfigUtil.joinPath(path.subList(from, to));
        if (nodes.containsKey(key)) {
          largest = Math.max(largest, size(key));
          break;
        }
      }
    }
    return largest;
  }

  private static String text(ConfigValue value) {
    return value.render(ConfigRenderOptions.concise());
  }

  private static List<String> below(List<String> path, String key) {
    List<String> longer = new ArrayList<>(path);
    longer.add(key);
    return longer;
  }
}
