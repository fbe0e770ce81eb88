package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActivationShardsTest {
  @TempDir Path folder;

  private final Store store = Given.store();

  /** Sizes around bytes of validity bits, and (1,000 rows of 5,000) more than one batch. */
  @ParameterizedTest
  @CsvSource({"0, 4", "1, 1", "7, 3", "8, 8", "9, 64", "1000, 5000", "3, 3000000"})
  void rowsComeBackAsTheyWere(int rows, int hidden) {
    Location file = Given.at(folder.resolve("shard.arrow"));
    float[] values = values(rows, hidden);
    write(file, rows, hidden, values, 3);
    try (ActivationReader reader = ActivationShards.open(store, file)) {
      assertThat(reader.rows()).isEqualTo(rows);
      assertThat(reader.hidden()).isEqualTo(hidden);
      float[] all = new float[values.length + hidden];
      assertThat(reader.read(all)).isEqualTo(rows);
      assertThat(Arrays.equals(Arrays.copyOf(all, values.length), values)).isTrue();
      assertThat(reader.read(all)).isZero();
    }
  }

  @Test
  void readingInSmallStepsGivesTheSame() {
    Location file = Given.at(folder.resolve("shard.arrow"));
    float[] values = values(1000, 5000);
    write(file, 1000, 5000, values, 1000);
    float[] step = new float[7 * 5000 + 4999];
    int row = 0;
    try (ActivationReader reader = ActivationShards.open(store, file)) {
      for (int count = reader.read(step); count > 0; count = reader.read(step)) {
        assertThat(count).isEqualTo(Math.min(7, 1000 - row));
        assertThat(Arrays.equals(step, 0, count * 5000, values, row * 5000, (row + count) * 5000))
            .as("rows from %d", row)
            .isTrue();
        row += count;
      }
    }
    assertThat(row).isEqualTo(1000);
  }

  @Test
  void specialValuesKeepTheirBits() {
    Location file = Given.at(folder.resolve("shard.arrow"));
    float[] values = {-0.0f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE};
    write(file, 1, 4, values, 1);
    float[] read = new float[4];
    try (ActivationReader reader = ActivationShards.open(store, file)) {
      reader.read(read);
    }
    for (int i = 0; i < values.length; i++) {
      assertThat(Float.floatToRawIntBits(read[i])).isEqualTo(Float.floatToRawIntBits(values[i]));
    }
  }

  @Test
  void equalRowsGiveEqualBytesHoweverTheyAreAppended() throws IOException {
    float[] values = values(1000, 5000);
    Path one = folder.resolve("one.arrow");
    Path two = folder.resolve("two.arrow");
    String hash = write(Given.at(one), 1000, 5000, values, 1);
    assertThat(write(Given.at(two), 1000, 5000, values, 419)).isEqualTo(hash);
    assertThat(Files.mismatch(one, two)).isEqualTo(-1);
    assertThat(StoredFiles.sha256(store, Given.at(one))).isEqualTo(hash);
  }

  @Test
  void whatAnAttemptLeftBehindIsReplaced() {
    Location file = Given.at(folder.resolve("shard.arrow"));
    write(file, 50, 3, values(50, 3), 1);
    String hash = write(file, 2, 3, values(2, 3), 1);
    assertThat(StoredFiles.sha256(store, file)).isEqualTo(hash);
  }

  @Test
  void aShardThatWasNotFinishedDoesNotOpen() {
    Location file = Given.at(folder.resolve("shard.arrow"));
    try (ActivationWriter writer = ActivationShards.create(store, file, 2, 3)) {
      writer.append(new float[6], 2);
    }
    assertThatThrownBy(() -> ActivationShards.open(store, file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Cannot read the activation shard")
        .hasMessageContaining("Delete it and start again");
  }

  @Test
  void aShardIsFinishedOnlyWithAllItsRows() {
    Location file = Given.at(folder.resolve("shard.arrow"));
    try (ActivationWriter writer = ActivationShards.create(store, file, 2, 3)) {
      writer.append(new float[3], 1);
      assertThatThrownBy(writer::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("1 of its 2 rows");
      assertThatThrownBy(() -> writer.append(new float[6], 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("Cannot append 2 rows");
      assertThatThrownBy(() -> writer.append(new float[2], 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("from 2 floats");
    }
  }

  @Test
  void anotherArrowFileIsNoShard() throws IOException {
    Path file = Files.write(folder.resolve("t.arrow"), TokenFile.encode(new int[] {1, 2}, 2));
    assertThatThrownBy(() -> ActivationShards.open(store, Given.at(file)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Cannot read the activation shard");
  }

  private static float[] values(int rows, int hidden) {
    float[] values = new float[rows * hidden];
    for (int i = 0; i < values.length; i++) {
      values[i] = i * 0.37f - rows;
    }
    return values;
  }

  /** Appends {@code step} rows at a time. */
  private String write(Location file, int rows, int hidden, float[] values, int step) {
    try (ActivationWriter writer = ActivationShards.create(store, file, rows, hidden)) {
      for (int row = 0; row < rows; row += step) {
        int count = Math.min(step, rows - row);
        writer.append(Arrays.copyOfRange(values, row * hidden, (row + count) * hidden), count);
      }
      return writer.finish();
    }
  }
}
