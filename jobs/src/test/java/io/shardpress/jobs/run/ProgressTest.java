package io.shardpress.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.fixture.ManualClock;
import io.shardpress.jobs.run.Progress.Screen;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final String CLEAR = "\r\u001b[K";

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private final ManualClock clock = new ManualClock();
  private final Progress log = new Progress(out, Screen.LOG, clock);
  private final Progress terminal = new Progress(out, Screen.TERMINAL, clock);

  @Test
  void printsTheFirstPieceAndThenALineEveryFewSeconds() {
    log.begin("compress", 100);
    for (int piece = 1; piece <= 12; piece++) {
      clock.pass(Duration.ofSeconds(1));
      log.advance(5, "layer " + piece);
    }

    assertThat(lines())
        .containsExactly(
            "compress   layer 1 |   5 % | ETA 19.0 s",
            "compress   layer 6 |  30 % | ETA 14.0 s", "compress   layer 11 |  55 % | ETA 9.0 s");
  }

  @Test
  void printsTheLastPieceHoweverSoonItCame() {
    log.begin("evaluate", 2);
    log.advance(1, "first");
    clock.pass(Duration.ofMillis(2500));
    log.advance(1, "second");

    assertThat(lines())
        .containsExactly(
            "evaluate   first |  50 % | ETA 0.0 s", "evaluate   second | 100 % | took 2.5 s");
  }

  @Test
  void startsAnewWithEachStage() {
    log.begin("one", 10);
    clock.pass(Duration.ofMinutes(3));
    log.advance(1, "a");
    log.begin("two", 10);
    clock.pass(Duration.ofSeconds(1));
    log.advance(5, "b");

    assertThat(lines())
        .containsExactly(
            "one        a |  10 % | ETA 27 min 00 s", "two        b |  50 % | ETA 1.0 s");
  }

  @Test
  void neverSaysMoreThanAll() {
    log.begin("compress", 10);
    log.advance(30, "larger than planned");
    assertThat(lines()).containsExactly("compress   larger than planned | 100 % | took 0.0 s");
  }

  @Test
  void knowsStagesThatCostNothing() {
    log.begin("assemble", 0);
    log.advance(0, "nothing");
    assertThat(lines()).containsExactly("assemble   nothing | 100 % | took 0.0 s");
  }

  @Test
  void redrawsOneLineOnATerminal() {
    terminal.begin("compress", 2);
    terminal.advance(1, "a");
    clock.pass(Duration.ofSeconds(1));
    terminal.advance(1, "b");

    assertThat(text())
        .isEqualTo(
            CLEAR
                + "compress   a |  50 % | ETA 0.0 s"
                + CLEAR
                + "compress   b | 100 % | took 1.0 s"
                + System.lineSeparator());
  }

  @Test
  void endsAnOpenLineBeforeItSaysSomethingElse() {
    terminal.begin("compress", 2);
    terminal.advance(1, "a");
    terminal.say("note: careful");
    terminal.say("more");

    assertThat(lines())
        .containsExactly(CLEAR + "compress   a |  50 % | ETA 0.0 s", "note: careful", "more");
  }

  @Test
  void endsAnOpenLineBeforeTheNextStage() {
    terminal.begin("one", 2);
    terminal.advance(1, "a");
    terminal.begin("two", 2);
    terminal.advance(1, "b");

    assertThat(lines())
        .containsExactly(
            CLEAR + "one        a |  50 % | ETA 0.0 s", CLEAR + "two        b |  50 % | ETA 0.0 s");
  }

  private List<String> lines() {
    return List.of(text().split("\n"));
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
