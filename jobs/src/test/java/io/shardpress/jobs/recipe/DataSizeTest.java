package io.shardpress.jobs.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataSizeTest {

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "1000000, 1000000",
    "12B, 12",
    "5 GB, 5000000000",
    "5gb, 5000000000",
    "512MiB, 536870912",
    "1k, 1000",
    "2Ki, 2048",
    "3TB, 3000000000000",
    "1TiB, 1099511627776",
    "' 7 MB ', 7000000"
  })
  void readsNumbersWithUnits(String text, long bytes) {
    assertThat(DataSize.parse(text)).isEqualTo(new DataSize(bytes));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "GB", "1.5GB", "-1GB", "5 XB", "5GBs", "1e9", "5 G iB"})
  void refusesWhatIsNoSize(String text) {
    assertThatThrownBy(() -> DataSize.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'%s' is not a size".formatted(text))
        .hasMessageContaining("like 512MB or 5GiB");
  }

  @Test
  void refusesNothingAtAll() {
    assertThatThrownBy(() -> DataSize.parse("0GB"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A size must be at least one byte, not 0GB");
  }

  @Test
  void refusesMoreThanALongHolds() {
    assertThatThrownBy(() -> DataSize.parse("999999999999999TB"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("'999999999999999TB' is more than 8 EiB");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "999, 999 B",
    "1000, 1.0 kB",
    "5000000000, 5.0 GB",
    "9223372036854775807, 9.2 EB"
  })
  void printsPowersOfTen(long bytes, String text) {
    assertThat(new DataSize(bytes)).hasToString(text);
  }
}
