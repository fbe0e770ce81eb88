package io.shardpress.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DurationsTest {

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0.0 s",
    "PT12.36S, 12.4 s",
    "PT59.94S, 59.9 s",
    "PT59.96S, 1 min 00 s",
    "PT1M, 1 min 00 s",
    "PT3M20S, 3 min 20 s",
    "PT59M59.9S, 1 h 00 min",
    "PT2H5M59S, 2 h 06 min",
    "PT50H, 50 h 00 min"
  })
  void readsAsPeopleSayIt(Duration duration, String text) {
    assertThat(Durations.text(duration)).isEqualTo(text);
  }
}
