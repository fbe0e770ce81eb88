package io.shardpress.common.error;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0000", "\n", "\r", "\t", "\u001B", "\u007F", "\u0085", "\u009B", "\u2028", "\u2029",
        "\u202E", "\u2066", "\u200B", "\uFEFF", "\uD800", "\uDC00"
      })
  void nothingThatMovesACursorOrTurnsTextIsPrinted(String hostile) {
    assertThat(Printable.excerpt("a" + hostile + "b")).isEqualTo("a?b");
    assertThat(Printable.quoted(hostile)).isEqualTo("'?'");
    assertThat(new InputException("a" + hostile + "b").getMessage()).matches("a[? ]b");
  }

  @Test
  void otherWritingStays() {
    assertThat(Printable.quoted("层 é \uD83D\uDE00 …")).isEqualTo("'层 é \uD83D\uDE00 …'");
  }

  @Test
  void aLongTextIsCut() {
    assertThat(Printable.excerpt("x".repeat(200))).hasSize(200);
    assertThat(Printable.excerpt("x".repeat(100_000))).isEqualTo("x".repeat(200) + "…");
    assertThat(new InputException("x".repeat(1 << 20))).message().hasSizeLessThan(10_000);
  }

  @Test
  void aMessageIsOneParagraph() {
    assertThat(new InputException("What.\n\tWhy.  \r\n Do this.", new RuntimeException()))
        .hasMessage("What. Why. Do this.");
  }
}
