package io.shardpress.common.config;

import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.common.error.ShardpressException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Binds a HOCON object to a record. A component {@code groupSize} is the key {@code group-size}.
 *
 * <p>Component types: numbers, booleans, strings, enums (lower-case, dashed), lists (one value
 * stands for a list of one), {@link Optional} for keys that may be absent, records, and any type
 * with a static {@code parse(String)}. Unknown keys, missing keys, wrong types and values that a
 * constructor refuses are {@link InputException}s.
 */
public final class RecordBinder {
  private RecordBinder() {}

  /**
   * @param path where the object stands in its document, for messages; empty at the root
   */
  public static <T extends Record> T bind(ConfigObject object, Class<T> type, String path) {
    RecordComponent[] components = type.getRecordComponents();
    refuseUnknownKeys(object, keys(type), path);
    Object[] arguments = new Object[components.length];
    Class<?>[] parameterTypes = new Class<?>[components.length];
    for (int i = 0; i < components.length; i++) {
      String key = KeyNames.dashed(components[i].getName());
      parameterTypes[i] = components[i].getType();
      arguments[i] =
          component(object, key, components[i].getGenericType(), KeyNames.join(path, key));
    }
    try {
      Constructor<T> constructor = type.getDeclaredConstructor(parameterTypes);
      constructor.setAccessible(true);
      return constructor.newInstance(arguments);
    } catch (InvocationTargetException e) {
      throw refusal(object, path, e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot construct " + type, e);
    }
  }

  private static Object component(ConfigObject object, String key, Type type, String path) {
    ConfigValue value = object.get(key);
    boolean absent = value == null || value.valueType() == ConfigValueType.NULL;
    if (rawType(type) == Optional.class) {
      return absent ? Optional.empty() : Optional.of(value(value, argument(type), path));
    }
    if (absent) {
      throw new InputException(
          "%s: the key '%s' is missing. Set it.".formatted(Origins.of(object), path));
    }
    return value(value, type, path);
  }

  private static Object value(ConfigValue value, Type type, String path) {
    Class<?> raw = rawType(type);
    if (raw == List.class) {
      List<Object> elements = new ArrayList<>();
      List<? extends ConfigValue> values = value instanceof ConfigList list ? list : List.of(value);
      for (int i = 0; i < values.size(); i++) {
        elements.add(value(values.get(i), argument(type), path + "[" + i + "]"));
      }
      return List.copyOf(elements);
    }
    if (value instanceof ConfigObject object) {
      if (raw.isRecord()) {
        return bind(object, raw.asSubclass(Record.class), path);
      }
      throw wrongType(value, path, Scalars.expected(raw));
    }
    if (value instanceof ConfigList) {
      throw wrongType(value, path, Scalars.expected(raw));
    }
    try {
      return Scalars.convert(value.unwrapped(), raw)
          .orElseThrow(() -> wrongType(value, path, Scalars.expected(raw)));
    } catch (IllegalArgumentException | InputException e) {
      throw refusal(value, path, e);
    }
  }

  /** Refuses an object that has other keys than these. */
  public static void refuseUnknownKeys(ConfigObject object, List<String> known, String path) {
    for (String key : new TreeMap<>(object).keySet()) {
      if (!known.contains(key)) {
        throw unknownKey(object.get(key), KeyNames.join(path, key), key, known);
      }
    }
  }

  /** The keys that {@link #bind} reads for a record. */
  public static List<String> keys(Class<? extends Record> type) {
    return Arrays.stream(type.getRecordComponents())
        .map(RecordComponent::getName)
        .map(KeyNames::dashed)
        .toList();
  }

  /** The error for a key that nothing reads. */
  public static InputException unknownKey(
      ConfigValue value, String path, String key, List<String> known) {
    return new InputException(
        "%s: unknown key %s.%s Known keys here: %s."
            .formatted(
                Origins.of(value),
                Printable.quoted(path),
                KeyNames.nearest(key, known)
                    .map(name -> " Did you mean '%s'?".formatted(name))
                    .orElse(""),
                String.join(", ", known)));
  }

  private static InputException wrongType(ConfigValue value, String path, String expected) {
    return new InputException(
        "%s: '%s' must be %s, not %s. Correct the value."
            .formatted(
                Origins.of(value),
                path,
                expected,
                Printable.excerpt(
                    value.render(com.typesafe.config.ConfigRenderOptions.concise()))));
  }

  private static ShardpressException refusal(ConfigValue value, String path, Throwable cause) {
    String where = path.isEmpty() ? "" : "'" + path + "': ";
    return new InputException(
        "%s: %s%s".formatted(Origins.of(value), where, cause.getMessage()), cause);
  }

  private static Class<?> rawType(Type type) {
    return (Class<?>) (type instanceof ParameterizedType generic ? generic.getRawType() : type);
  }

  private static Type argument(Type type) {
    return ((ParameterizedType) type).getActualTypeArguments()[0];
  }
}
