package io.shardpress.jobs.data;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import scala.Tuple2;

/**
 * Cuts a stretch of ids at the borders of windows and sends each part to the chunk it belongs to.
 */
final class CutWindows implements PairFlatMapFunction<TokenRun, Integer, CutWindows.Part> {
  private static final long serialVersionUID = 1L;

  private final long[][] starts;
  private final Windows windows;
  private final int sequencesPerChunk;

  /**
   * Ids of one sequence.
   *
   * @param sequence number of the sequence, over all chunks
   * @param offset place of the first id among the ids of the sequence that come from the data
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Part(int sequence, int offset, int[] ids) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /**
   * @param starts by file and index of the stretch: place of its first id among all ids
   */
  CutWindows(long[][] starts, Windows windows, int sequencesPerChunk) {
    this.starts = starts;
    this.windows = windows;
    this.sequencesPerChunk = sequencesPerChunk;
  }

  @Override
  public Iterator<Tuple2<Integer, Part>> call(TokenRun run) {
    TokenRun.Tokens tokens = (TokenRun.Tokens) run;
    long start = starts[tokens.file()][tokens.index()];
    int payload = windows.payload();
    List<Tuple2<Integer, Part>> parts = new ArrayList<>();
    int from = 0;
    while (from < tokens.ids().length) {
      long window = (start + from) / payload;
      int offset = (int) ((start + from) % payload);
      int to = Math.min(tokens.ids().length, from + payload - offset);
      int sequence = windows.sequenceOf(window);
      if (sequence >= 0) {
        Part part = new Part(sequence, offset, Arrays.copyOfRange(tokens.ids(), from, to));
        parts.add(new Tuple2<>(sequence / sequencesPerChunk, part));
      }
      from = to;
    }
    return parts.iterator();
  }
}
