package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import scala.Tuple2;

class WindowsTest {
  @Test
  void withoutANumberAllWholeWindowsAreTaken() {
    assertThat(Windows.of(settings(Optional.empty()), 23, 5).chosen()).containsExactly(0, 1, 2, 3);
  }

  @Test
  void fewerAreTakenFromTheStart() {
    assertThat(Windows.of(settings(Optional.of(2)), 23, 5).chosen()).containsExactly(0, 1);
  }

  @Test
  void tooFewTokensAreAnErrorWithNumbers() {
    assertThatThrownBy(() -> Windows.of(settings(Optional.of(5)), 23, 5))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "The data has 23 tokens, which make 4 sequences of 5 tokens each, but 5 are asked for."
                + " Give more data, or set 'sequences' or 'length' lower.");
    assertThatThrownBy(() -> Windows.of(settings(Optional.empty()), 4, 5))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("4 tokens, which make 0 sequences")
        .hasMessageContaining("1 is asked for");
  }

  @Test
  void stretchesAreCutAtWindowsAndSentToTheirChunks() {
    Windows windows = new Windows(100, 4, new int[] {0, 2, 3});
    CutWindows cut = new CutWindows(new long[][] {{0, 6}, {9}}, windows, 2);
    List<String> parts = new ArrayList<>();
    parts.addAll(parts(cut, 0, 0, 10, 11, 12, 13, 14, 15));
    parts.addAll(parts(cut, 0, 1, 16, 17, 18));
    parts.addAll(parts(cut, 1, 0, 19, 20, 21, 22, 23, 24, 25, 26));
    assertThat(parts)
        .containsExactly(
            "chunk 0, sequence 0 from 0: [10, 11, 12, 13]",
            "chunk 0, sequence 1 from 0: [18]",
            "chunk 0, sequence 1 from 1: [19, 20, 21]",
            "chunk 1, sequence 2 from 0: [22, 23, 24, 25]");
  }

  private static List<String> parts(CutWindows cut, int file, int index, int... ids) {
    List<String> parts = new ArrayList<>();
    TokenRun run = new TokenRun.Tokens(file, index, TokenRuns.Kind.TEXT, ids);
    for (var all = cut.call(run); all.hasNext(); ) {
      Tuple2<Integer, CutWindows.Part> part = all.next();
      parts.add(
          "chunk %d, sequence %d from %d: %s"
              .formatted(
                  part._1(),
                  part._2().sequence(),
                  part._2().offset(),
                  java.util.Arrays.toString(part._2().ids())));
    }
    return parts;
  }

  private static DataSettings settings(Optional<Integer> sequences) {
    return new DataSettings(
        List.of("a.txt"),
        Optional.empty(),
        5,
        sequences,
        Sample.FIRST,
        0,
        DataSettings.Bos.NEVER,
        2);
  }
}
