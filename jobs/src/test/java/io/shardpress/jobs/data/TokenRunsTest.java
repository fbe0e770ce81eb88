package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenRunsTest {
  @TempDir Path folder;

  @Test
  void rowsOfTextAreJoinedByTwoNewlines() {
    List<int[]> runs = runs(TokenRunsTest::characters, rows("a", "", "b"), 4, 1000);
    assertThat(runs).containsExactly("a\n\n\n\nb".chars().toArray());
  }

  @Test
  void piecesGiveTheIdsOfTheWholeText() throws IOException {
    Given.tokenizer("words.json", folder);
    String text = Given.words(3000);
    try (Tokenizer tokenizer = Given.tokenizer(Given.at(folder), Given.WORDS)) {
      List<int[]> runs = runs(tokenizer::encode, rows(text), 4, 500);
      assertThat(runs).hasSizeGreaterThan(10);
      assertThat(together(runs)).isEqualTo(tokenizer.encode(text));
    }
  }

  /** This one puts a space before each text and merges across nothing but words. */
  @Test
  void piecesGiveTheIdsOfTheWholeTextWithSentencePieceToo() throws IOException {
    Given.tokenizer("sentences.json", folder);
    String text = "the hen and the inn. and then in the end\na hind ate  thin earth ".repeat(100);
    try (Tokenizer tokenizer = Given.tokenizer(Given.at(folder), 39)) {
      List<int[]> runs = runs(tokenizer::encode, rows(text), 4, 500);
      assertThat(runs).hasSizeGreaterThan(5);
      assertThat(together(runs)).isEqualTo(tokenizer.encode(text));
    }
  }

  @Test
  void aTextThatNoCutLeavesUnchangedIsTokenizedWhole() {
    Function<String, int[]> whole = text -> new int[] {text.length()};
    String text = "word ".repeat(1000);
    assertThat(runs(whole, rows(text), 4, 300)).containsExactly(new int[] {text.length()});
  }

  @Test
  void theFirstIdsOfEachRowOfReadyIdsAreTaken() {
    List<int[]> runs =
        runs(
            TokenRunsTest::characters,
            rows(new long[] {1, 2, 3}, new long[] {4, 5, 6, 7}, new long[] {8, 9, 1}),
            3,
            6);
    assertThat(runs).containsExactly(new int[] {1, 2, 3, 4, 5, 6}, new int[] {8, 9, 1});
  }

  @Test
  void aRowWithFewerIdsThanASequenceIsNamed() {
    assertThatThrownBy(
            () -> runs(TokenRunsTest::characters, rows(new long[] {1, 2, 3}, new long[] {1}), 3, 6))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "row 2 has 1 token ids, fewer than length = 3. Set 'length' to at most 1, or remove"
                + " shorter rows.");
  }

  @Test
  void anIdOutsideTheVocabularyIsNamed() {
    for (long id : new long[] {-1, 300, 5_000_000_000L}) {
      assertThatThrownBy(() -> runs(TokenRunsTest::characters, rows(new long[] {1, id}), 2, 6))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("row 1 has the token id " + id)
          .hasMessageContaining("a vocabulary of 300 tokens");
    }
  }

  @Test
  void textAndIdsDoNotMix() {
    assertThatThrownBy(() -> runs(TokenRunsTest::characters, rows("a", new long[] {1}), 1, 6))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("row 2 holds token ids, but earlier rows the other");
    assertThatThrownBy(() -> runs(TokenRunsTest::characters, rows(new long[] {1}, "a"), 1, 6))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("row 2 holds text, but earlier rows the other");
  }

  @Test
  void noRowsGiveNoRuns() {
    assertThat(runs(TokenRunsTest::characters, rows(), 1, 6)).isEmpty();
  }

  @Test
  void charactersBeyondSixteenBitsAreNotCutApart() {
    String text = "\uD83D\uDE00".repeat(5) + " ";
    List<int[]> runs = runs(TokenRunsTest::codePoints, rows(text.repeat(200)), 4, 300);
    assertThat(runs).hasSizeGreaterThan(2);
    assertThat(together(runs)).isEqualTo(text.repeat(200).codePoints().toArray());
  }

  /** Stands for a tokenizer: an id for each character. */
  private static int[] characters(String text) {
    return text.chars().toArray();
  }

  /** Refuses halves of surrogate pairs, as a tokenizer's native code may. */
  private static int[] codePoints(String text) {
    int[] points = text.codePoints().toArray();
    assertThat(Arrays.stream(points).boxed())
        .noneMatch(point -> point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE);
    return points;
  }

  private static List<int[]> runs(
      Function<String, int[]> tokenizer, RowReader rows, int length, int run) {
    TokenRuns runs = new TokenRuns(rows, tokenizer, length, 300, run);
    List<int[]> all = new ArrayList<>();
    for (Optional<int[]> next = runs.next(); next.isPresent(); next = runs.next()) {
      all.add(next.get());
    }
    return all;
  }

  private static int[] together(List<int[]> runs) {
    return runs.stream().flatMapToInt(IntStream::of).toArray();
  }

  /** Texts for strings, ready ids for arrays. */
  private static RowReader rows(Object... rows) {
    Iterator<DataRow> all =
        Arrays.stream(rows)
            .map(
                row ->
                    row instanceof String text
                        ? new DataRow.Text(text)
                        : new DataRow.Ids((long[]) row))
            .map(DataRow.class::cast)
            .iterator();
    return new RowReader() {
      private int row;

      @Override
      public Optional<DataRow> next() {
        row++;
        return all.hasNext() ? Optional.of(all.next()) : Optional.empty();
      }

      @Override
      public String separator() {
        return TokenRuns.ROW_SEPARATOR;
      }

      @Override
      public String position() {
        return "row " + row;
      }

      @Override
      public void close() {}
    };
  }
}
