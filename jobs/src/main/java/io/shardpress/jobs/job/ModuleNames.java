package io.shardpress.jobs.job;

import io.shardpress.common.config.KeyNames;
import io.shardpress.common.error.Printable;
import io.shardpress.common.error.UsageException;
import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Names of many modules, for people. */
final class ModuleNames {
  private static final Pattern NUMBER = Pattern.compile("(?<=\\.)\\d{1,9}(?=\\.)");
  private static final int MOST_RUNS = 4;
  private static final int MOST_KNOWN = 20;

  private ModuleNames() {}

  /** The name with {@code *} for numbers between dots. */
  static String anyNumber(String module) {
    return NUMBER.matcher(module).replaceAll("*");
  }

  /** The name of a module in its parent. */
  static String last(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }

  /** The pattern for all modules that are called so in their parents. */
  private static String ending(String module) {
    return module.contains(".") ? "*." + last(module) : module;
  }

  /** {@code a}, {@code a and b}, {@code a, b and c}. */
  static String enumerated(List<String> names) {
    int end = names.size() - 1;
    return end == 0
        ? names.get(0)
        : "%s and %s".formatted(String.join(", ", names.subList(0, end)), names.get(end));
  }

  /**
   * One name for modules of one {@link #anyNumber}, as in {@code model.layers.{0-31}.mlp.up_proj};
   * with {@code *} for numbers that cannot be said in short.
   */
  static String together(List<String> modules) {
    List<NavigableSet<Integer>> numbers = new ArrayList<>();
    for (String module : modules) {
      List<String> found = NUMBER.matcher(module).results().map(match -> match.group()).toList();
      for (int i = 0; i < found.size(); i++) {
        if (numbers.size() == i) {
          numbers.add(new TreeSet<>());
        }
        numbers.get(i).add(Integer.parseInt(found.get(i)));
      }
    }
    long combinations = numbers.stream().mapToLong(Set::size).reduce(1, (a, b) -> a * b);
    boolean all = combinations == modules.size();
    Iterator<NavigableSet<Integer>> next = numbers.iterator();
    return NUMBER.matcher(modules.get(0)).replaceAll(match -> all ? runs(next.next()) : "*");
  }

  /** {@code 3}, or {@code {0-2,5}}. */
  private static String runs(NavigableSet<Integer> numbers) {
    List<int[]> runs = new ArrayList<>();
    for (int number : numbers) {
      if (!runs.isEmpty() && runs.get(runs.size() - 1)[1] == number - 1) {
        runs.get(runs.size() - 1)[1] = number;
      } else {
        runs.add(new int[] {number, number});
      }
    }
    if (numbers.size() == 1) {
      return String.valueOf(numbers.first());
    }
    if (runs.size() > MOST_RUNS) {
      return "*";
    }
    List<String> texts =
        runs.stream()
            .map(run -> run[0] == run[1] ? "" + run[0] : "%d-%d".formatted(run[0], run[1]))
            .toList();
    return "{%s}".formatted(String.join(",", texts));
  }

  /**
   * @throws UsageException with the nearest name, when a pattern matches no linear of the plan
   */
  static void require(ModuleMatcher patterns, Plan plan) {
    Map<String, String> linears = new HashMap<>();
    plan.decisions().forEach(one -> linears.put(one.linear().name(), Planner.LINEAR));
    for (String pattern : patterns.unmatched(linears)) {
      SortedSet<String> known = new TreeSet<>();
      linears.keySet().forEach(module -> known.add(ending(module)));
      List<String> candidates = new ArrayList<>(known);
      candidates.addAll(new TreeSet<>(linears.keySet()));
      throw new UsageException(
          "--module %s matches no linear of this model.%s Its linears: %s."
              .formatted(
                  Printable.quoted(pattern),
                  KeyNames.nearest(pattern, candidates)
                      .map(near -> " Did you mean '%s'?".formatted(near))
                      .orElse(""),
                  String.join(", ", known.stream().limit(MOST_KNOWN).toList())));
    }
  }
}
