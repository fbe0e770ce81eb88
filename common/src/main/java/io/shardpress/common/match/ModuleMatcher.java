package io.shardpress.common.match;

import io.shardpress.common.error.InputException;
import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A list of targets as compressed-tensors reads it: a module class ({@code Linear}), a module's
 * full name, {@code re:<regex>} (anchored at the start only, as Python's {@code re.match}), and,
 * our own addition, a glob with {@code *} and {@code ?} over the full name.
 */
public record ModuleMatcher(List<String> patterns) implements Serializable {
  private static final String REGEX = "re:";

  public ModuleMatcher {
    patterns = List.copyOf(patterns);
    patterns.forEach(pattern -> kind(pattern).compile(pattern));
  }

  public static ModuleMatcher of(String... patterns) {
    return new ModuleMatcher(List.of(patterns));
  }

  public boolean matches(String module, String moduleClass) {
    return match(module, moduleClass).isPresent();
  }

  /**
   * The pattern that decides: exact names before regexes (in lexicographic order) before globs
   * before classes.
   */
  public Optional<String> match(String module, String moduleClass) {
    return patterns.stream()
        .filter(pattern -> kind(pattern).accepts(pattern, module, moduleClass))
        .min(
            Comparator.comparing((String pattern) -> rank(pattern, module))
                .thenComparing(Comparator.naturalOrder()));
  }

  /**
   * The patterns that match none of these modules, in their order: probably misspelt.
   *
   * @param modules class by module name
   */
  public List<String> unmatched(Map<String, String> modules) {
    return patterns.stream()
        .filter(
            pattern ->
                modules.entrySet().stream()
                    .noneMatch(m -> kind(pattern).accepts(pattern, m.getKey(), m.getValue())))
        .toList();
  }

  private static int rank(String pattern, String module) {
    return pattern.equals(module) ? 0 : kind(pattern).rank;
  }

  private static Kind kind(String pattern) {
    if (pattern.startsWith(REGEX)) {
      return Kind.REGULAR_EXPRESSION;
    }
    return pattern.contains("*") || pattern.contains("?") ? Kind.GLOB : Kind.NAME_OR_CLASS;
  }

  private enum Kind {
    REGULAR_EXPRESSION(1),
    GLOB(2),
    NAME_OR_CLASS(3);

    private final int rank;

    Kind(int rank) {
      this.rank = rank;
    }

    boolean accepts(String pattern, String module, String moduleClass) {
      return switch (this) {
        case REGULAR_EXPRESSION -> compile(pattern).matcher(module).lookingAt();
        case GLOB -> compile(pattern).matcher(module).matches();
        case NAME_OR_CLASS -> pattern.equals(module) || pattern.equals(moduleClass);
      };
    }

    Pattern compile(String pattern) {
      return switch (this) {
        case REGULAR_EXPRESSION -> regex(pattern);
        case GLOB -> Pattern.compile(globToRegex(pattern));
        case NAME_OR_CLASS -> Pattern.compile(Pattern.quote(pattern));
      };
    }

    private static Pattern regex(String pattern) {
      try {
        return Pattern.compile(pattern.substring(REGEX.length()));
      } catch (PatternSyntaxException e) {
        throw new InputException(
            "The target '%s' is not a regular expression: %s near index %d. Correct it, or write a glob such as *.down_proj."
                .formatted(pattern, e.getDescription(), e.getIndex()),
            e);
      }
    }

    /** {@code \E} and {@code \Q} leave and re-enter the quoting around each wildcard. */
    private static String globToRegex(String glob) {
      return "\\Q" + glob.replace("*", "\\E.*\\Q").replace("?", "\\E.\\Q") + "\\E";
    }
  }
}
