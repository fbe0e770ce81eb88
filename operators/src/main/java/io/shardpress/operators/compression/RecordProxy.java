package io.shardpress.operators.compression;

import java.io.Serializable;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Optional;

/**
 * Stands for a record in a serial stream, because {@link Optional} cannot be written: present
 * values as they are, absent ones as null.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RecordProxy(Class<? extends Record> type, Object[] values) implements Serializable {

  /** To be returned by the record's {@code writeReplace}. */
  static Object of(Record settings) {
    Object[] values =
        Arrays.stream(settings.getClass().getRecordComponents())
            .map(component -> value(component, settings))
            .toArray();
    return new RecordProxy(settings.getClass(), values);
  }

  private static Object value(RecordComponent component, Record settings) {
    try {
      Object value = component.getAccessor().invoke(settings);
      return value instanceof Optional<?> optional ? optional.orElse(null) : value;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot read " + component, e);
    }
  }

  private Object readResolve() {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    Object[] arguments = new Object[values.length];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = types[i] == Optional.class ? Optional.ofNullable(values[i]) : values[i];
    }
    try {
      return type.getDeclaredConstructor(types).newInstance(arguments);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot make a " + type, e);
    }
  }
}
