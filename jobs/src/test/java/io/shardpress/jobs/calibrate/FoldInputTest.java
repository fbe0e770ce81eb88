package io.shardpress.jobs.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.statistics.KeptInput;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class FoldInputTest {
  private static final String INPUT = "model.layers.0.mlp.input";
  private static final long SEED = 5;

  private final HadoopStore store = TinyCheckpoint.store();
  private final Random random = new Random(SEED);

  @TempDir private Path folder;
  private Location partials;
  private Location target;

  @BeforeEach
  void place() {
    System.out.println("fold, seed " + SEED);
    partials = Location.of(folder.resolve("partials").toString());
    target = Location.of(folder.resolve("statistics").toString());
  }

  /** 2100 channels are more rows than are added at a time. */
  @Test
  void addsAsIfAllWereInMemory() {
    List<InputStatistics> parts = List.of(part(2100, 3), part(2100, 5));
    for (int chunk = 0; chunk < parts.size(); chunk++) {
      StatisticsFiles.write(store, partials.child("chunk-" + chunk), List.of(parts.get(chunk)));
    }

    KeptInput kept = fold("chunk-0", "chunk-1");

    assertThat(kept.input()).isEqualTo(INPUT);
    assertThat(kept.width()).isEqualTo(2100);
    assertThat(kept.tokens()).isEqualTo(8).isEqualTo(kept.routed());
    Map<String, RawTensor> stored =
        TensorFiles.read(store, target.child(kept.files().get(0).name()));
    try (InputStatistics expected = InputStatistics.fold(parts)) {
      Location whole = partials.child("whole");
      StatisticsFiles.write(store, whole, List.of(expected));
      Map<String, RawTensor> tensors = TensorFiles.read(store, whole);
      assertThat(stored.keySet()).isEqualTo(tensors.keySet());
      stored.forEach(
          (name, tensor) -> assertThat(tensor.equals(tensors.get(name))).as(name).isTrue());
    }
    parts.forEach(InputStatistics::close);
  }

  @Test
  void leavesOutChunksThatNoTokenReached() {
    try (InputStatistics only = part(8, 3)) {
      TensorFiles.write(store, partials.child("chunk-0"), List.of());
      StatisticsFiles.write(store, partials.child("chunk-1"), List.of(only));

      assertThat(fold("chunk-0", "chunk-1").tokens()).isEqualTo(3);
    }
  }

  @Test
  void storesNothingWhereNoTokenCame() {
    TensorFiles.write(store, partials.child("chunk-0"), List.of());

    KeptInput kept = fold("chunk-0");

    assertThat(kept.hasStatistics()).isFalse();
    assertThat(store.list(target)).isEmpty();
  }

  @Test
  void refusesToGuessAMissingChunk() {
    assertThatThrownBy(() -> fold("chunk-0"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("partials/chunk-0");
  }

  private KeptInput fold(String... files) {
    return new FoldInput(store, partials, List.of(files), INPUT, target).run();
  }

  private InputStatistics part(int width, int tokens) {
    float[] values = new float[tokens * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    try (StatisticsAccumulator sums = new StatisticsAccumulator(INPUT, width, StatisticsNeed.GRAM);
        INDArray x = Floats.of(values, tokens, width)) {
      sums.observe(x);
      return sums.finish();
    }
  }
}
