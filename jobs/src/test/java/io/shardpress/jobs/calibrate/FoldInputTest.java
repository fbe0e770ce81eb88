package io.shardpress.jobs.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.run.Workspace;
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
  private Workspace workspace;

  @BeforeEach
  void place() {
    System.out.println("fold, seed " + SEED);
    workspace = new Workspace(Location.of(folder.toString()));
  }

  /** 2100 channels are more rows than are added at a time. */
  @Test
  void addsAsIfAllWereInMemory() {
    List<InputStatistics> parts = List.of(part(2100, 3), part(2100, 5));
    writeParts(parts);

    FoldInput.Folded folded = new FoldInput(store, workspace, INPUT, 0, 2).run();

    assertThat(folded).isEqualTo(new FoldInput.Folded(INPUT, 8));
    Map<String, RawTensor> stored = TensorFiles.read(store, workspace.statistics(INPUT));
    try (InputStatistics expected = InputStatistics.fold(parts)) {
      Location whole = workspace.partials(1, 0);
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
      TensorFiles.write(store, workspace.partials(0, 0), List.of());
      StatisticsFiles.write(store, workspace.partials(0, 1), List.of(only));

      assertThat(new FoldInput(store, workspace, INPUT, 0, 2).run().tokens()).isEqualTo(3);
    }
  }

  @Test
  void storesNothingWhereNoTokenCame() {
    TensorFiles.write(store, workspace.partials(0, 0), List.of());

    assertThat(new FoldInput(store, workspace, INPUT, 0, 1).run().tokens()).isZero();
    assertThat(store.exists(workspace.statistics(INPUT))).isFalse();
  }

  @Test
  void refusesToGuessAMissingChunk() {
    assertThatThrownBy(() -> new FoldInput(store, workspace, INPUT, 0, 1).run())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("stage-0000-chunk-00000.safetensors");
  }

  private void writeParts(List<InputStatistics> parts) {
    for (int chunk = 0; chunk < parts.size(); chunk++) {
      StatisticsFiles.write(store, workspace.partials(0, chunk), List.of(parts.get(chunk)));
    }
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
