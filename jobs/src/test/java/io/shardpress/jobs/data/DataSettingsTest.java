package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class DataSettingsTest {
  @Test
  void someDataMustBeNamed() {
    assertThatThrownBy(() -> settings(List.of(), 8, Optional.empty(), 1))
        .isInstanceOf(InputException.class)
        .hasMessage("No data is named: 'data' is empty. List at least one file, folder or glob.");
  }

  @Test
  void aSequenceHasAtLeastTwoTokens() {
    assertThatThrownBy(() -> settings(List.of("a.txt"), 1, Optional.empty(), 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("length = 1 is too small")
        .hasMessageContaining("Set it to 2 or more");
  }

  @Test
  void atLeastOneSequenceIsAskedFor() {
    assertThatThrownBy(() -> settings(List.of("a.txt"), 2, Optional.of(0), 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("sequences = 0 is too small");
  }

  @Test
  void aChunkHasAtLeastOneSequence() {
    assertThatThrownBy(() -> settings(List.of("a.txt"), 2, Optional.empty(), 0))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("sequences-per-chunk = 0 is too small");
  }

  @Test
  void theBosOfAModelIsInItsVocabulary() {
    assertThatThrownBy(() -> new ModelTokens(Location.of("/m"), 10, 8, OptionalInt.of(10)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("BOS token 10")
        .hasMessageContaining("vocabulary of 10 tokens");
  }

  private static DataSettings settings(
      List<String> data, int length, Optional<Integer> sequences, int sequencesPerChunk) {
    return new DataSettings(
        data,
        Optional.empty(),
        length,
        sequences,
        Sample.FIRST,
        0,
        DataSettings.Bos.AUTO,
        sequencesPerChunk);
  }
}
