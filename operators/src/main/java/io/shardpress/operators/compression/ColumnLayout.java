package io.shardpress.operators.compression;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Which stored column a sweep visits when, and which group each belongs to.
 *
 * @param visited {@code [n]} stored column at each place of the visiting order
 * @param groupOfColumn {@code [n]} group of each stored column
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ColumnLayout(int[] visited, int[] groupOfColumn) {

  /** Lays out {@code order} by a Gram diagonal; equal values by index. */
  static ColumnLayout of(ColumnOrder order, GroupSize groupSize, float[] diagonal) {
    int n = diagonal.length;
    int[] visited =
        order == ColumnOrder.NATURAL
            ? IntStream.range(0, n).toArray()
            : IntStream.range(0, n)
                .boxed()
                .sorted(
                    Comparator.comparingDouble((Integer j) -> -diagonal[j])
                        .thenComparing(Comparator.naturalOrder()))
                .mapToInt(Integer::intValue)
                .toArray();
    int[] groups = QuantizedWeight.neighbours(groupSize, n);
    if (order != ColumnOrder.GROUP) {
      return new ColumnLayout(visited, groups);
    }
    int[] groupOfColumn = new int[n];
    for (int place = 0; place < n; place++) {
      groupOfColumn[visited[place]] = groups[place];
    }
    return new ColumnLayout(visited, groupOfColumn);
  }

  int storedColumn(int place) {
    return visited[place];
  }

  int groupOfVisited(int place) {
    return groupOfColumn[visited[place]];
  }

  /** Picks {@code stored} values into visiting order. */
  void toVisited(float[] stored, int at, float[] into, int intoAt) {
    for (int place = 0; place < visited.length; place++) {
      into[intoAt + place] = stored[at + visited[place]];
    }
  }
}
