package io.shardpress.jobs.data;

import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Which windows of the data are taken when fewer are asked for than there are. */
public enum Sample {
  /** The first ones. */
  FIRST,
  /** Evenly spaced over the data: window {@code i · windows / count} for each i. */
  SPREAD,
  /** Drawn without replacement by a seeded generator. */
  RANDOM;

  /** {@code count} window numbers below {@code windows}, ascending and distinct. */
  int[] choose(int windows, int count, long seed) {
    if (count < 0 || count > windows) {
      throw new IllegalArgumentException("Cannot choose " + count + " of " + windows + " windows");
    }
    return switch (this) {
      case FIRST -> IntStream.range(0, count).toArray();
      case SPREAD ->
          IntStream.range(0, count).map(i -> (int) ((long) i * windows / count)).toArray();
      case RANDOM -> draw(windows, count, new Random(seed));
    };
  }

  /** Floyd's algorithm; {@link Random#nextInt(int)} is specified to the bit. */
  private static int[] draw(int windows, int count, Random random) {
    TreeSet<Integer> drawn = new TreeSet<>();
    for (int last = windows - count; last < windows; last++) {
      if (!drawn.add(random.nextInt(last + 1))) {
        drawn.add(last);
      }
    }
    return drawn.stream().mapToInt(Integer::intValue).toArray();
  }
}
