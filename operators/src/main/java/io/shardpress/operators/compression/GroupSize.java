package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How many neighbouring weights of a row share one scale: a number of columns, or the whole row.
 *
 * @param columns columns per group; 0 stands for the whole row ({@code channel})
 */
public record GroupSize(int columns) implements java.io.Serializable {
  /** One scale per output channel. */
  public static final GroupSize CHANNEL = new GroupSize(0);

  public GroupSize {
    if (columns < 0) {
      throw new InputException(
          "group-size = %d: give a positive number of columns, or channel.".formatted(columns));
    }
  }

  public static GroupSize of(int columns) {
    if (columns == 0) {
      throw new InputException(
          "group-size = 0: give a positive number of columns, or channel for one scale per row.");
    }
    return new GroupSize(columns);
  }

  /** Reads {@code channel} or a positive number. */
  public static GroupSize parse(String text) {
    if (text.equals("channel")) {
      return CHANNEL;
    }
    try {
      return of(Integer.parseInt(text));
    } catch (NumberFormatException e) {
      throw new InputException(
          "group-size = %s: give a positive number of columns, or channel.".formatted(text), e);
    }
  }

  public boolean isChannel() {
    return columns == 0;
  }

  /** Columns per group in a row of {@code width}. */
  public int in(int width) {
    return isChannel() ? width : columns;
  }

  /** Groups in a row of {@code width}. */
  public int groups(int width) {
    return isChannel() ? 1 : width / columns;
  }

  /**
   * Refuses rows that do not divide into whole groups: no format stores a short last group.
   *
   * @param width inputs of the linear
   */
  public void check(long width) {
    if (isChannel() || width % columns == 0) {
      return;
    }
    String divisors =
        IntStream.rangeClosed(1, 1024)
            .filter(size -> size % 8 == 0 && width % size == 0)
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(", "));
    throw new InputException(
        "group-size = %d does not divide the %d inputs of this linear, and a short last group cannot be stored. Choose %s for it, or ignore it."
            .formatted(
                columns,
                width,
                divisors.isEmpty() ? "channel" : "one of " + divisors + ", channel"));
  }

  @Override
  public String toString() {
    return isChannel() ? "channel" : Integer.toString(columns);
  }
}
