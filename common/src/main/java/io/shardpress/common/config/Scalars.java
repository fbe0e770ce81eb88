package io.shardpress.common.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Single values: numbers, booleans, strings, enums and types with a static {@code parse(String)}.
 */
final class Scalars {
  private Scalars() {}

  /**
   * The value as {@code type}, or empty when it has another form.
   *
   * @throws IllegalArgumentException when it has the form but the type refuses it
   */
  static Optional<Object> convert(Object value, Class<?> type) {
    String text = String.valueOf(value);
    if (type == String.class) {
      return Optional.of(text);
    }
    if (type == boolean.class || type == Boolean.class) {
      return switch (text) {
        case "true" -> Optional.of(true);
        case "false" -> Optional.of(false);
        default -> Optional.empty();
      };
    }
    if (isNumber(type)) {
      return number(text, type);
    }
    if (type.isEnum()) {
      return Optional.of(enumValue(text, type));
    }
    return parser(type).map(parse -> call(parse, text));
  }

  /** What a value of this type looks like, for messages. */
  static String expected(Class<?> type) {
    if (type == boolean.class || type == Boolean.class) {
      return "true or false";
    }
    if (type == double.class || type == Double.class) {
      return "a number";
    }
    if (isNumber(type)) {
      return "a whole number";
    }
    if (type.isEnum()) {
      return "one of " + String.join(", ", names(type));
    }
    return type.isRecord() && parser(type).isEmpty() ? "an object { … }" : "a single value";
  }

  private static boolean isNumber(Class<?> type) {
    return List.of(int.class, Integer.class, long.class, Long.class, double.class, Double.class)
        .contains(type);
  }

  private static Optional<Object> number(String text, Class<?> type) {
    try {
      if (type == double.class || type == Double.class) {
        double number = Double.parseDouble(text); // reads NaN too, which passes every range check
        return Double.isFinite(number) ? Optional.of(number) : Optional.empty();
      }
      if (type == int.class || type == Integer.class) {
        return Optional.of(Integer.parseInt(text));
      }
      return Optional.of(Long.parseLong(text));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static Object enumValue(String text, Class<?> type) {
    for (Object constant : type.getEnumConstants()) {
      if (dashed(constant).equals(text)) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        "'%s' is not known.%s Use one of %s."
            .formatted(
                text,
                KeyNames.nearest(text, names(type))
                    .map(name -> " Did you mean '%s'?".formatted(name))
                    .orElse(""),
                String.join(", ", names(type))));
  }

  private static List<String> names(Class<?> type) {
    return Arrays.stream(type.getEnumConstants()).map(Scalars::dashed).collect(Collectors.toList());
  }

  private static String dashed(Object constant) {
    return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Optional<Method> parser(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods())
        .filter(
            method ->
                method.getName().equals("parse")
                    && Modifier.isStatic(method.getModifiers())
                    && Arrays.equals(method.getParameterTypes(), new Class<?>[] {String.class}))
        .findFirst();
  }

  private static Object call(Method parse, String text) {
    try {
      parse.setAccessible(true);
      return parse.invoke(null, text);
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof RuntimeException refused
          ? refused
          : new IllegalStateException(e.getCause());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("Cannot call " + parse, e);
    }
  }
}
