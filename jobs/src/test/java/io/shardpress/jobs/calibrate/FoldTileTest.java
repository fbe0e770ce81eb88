package io.shardpress.jobs.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.storage.StatisticsFiles;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.StoredStatistics;
import io.shardpress.operators.statistics.TileGrid;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class FoldTileTest {
  private static final String INPUT = "model.layers.0.mlp.input";
  private static final long SEED = 5;
  private static final int WIDTH = 8;

  /** Two rows of tiles. */
  private static final int TILED = TileGrid.EDGE + 20;

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
    assertFoldsLikeMemory(2100, part(2100, 3), part(2100, 5));
    assertThat(store.list(statistics())).hasSize(1);
  }

  @Test
  void addsEveryTileByItself() {
    assertFoldsLikeMemory(TILED, part(TILED, 3), part(TILED, 2));
    assertThat(store.list(statistics()).stream().map(Store.Entry::name))
        .containsExactlyInAnyOrder(
            INPUT + ".safetensors",
            INPUT + ".gram.0.0.safetensors",
            INPUT + ".gram.0.1.safetensors",
            INPUT + ".gram.1.1.safetensors");
  }

  private void assertFoldsLikeMemory(int width, InputStatistics... parts) {
    for (int chunk = 0; chunk < parts.length; chunk++) {
      StatisticsFiles.write(store, workspace.partials(0, chunk), List.of(parts[chunk]), List.of());
    }
    long tokens = 0;
    for (InputStatistics part : parts) {
      tokens += part.tokens();
    }

    assertThat(fold(width, parts.length)).isEqualTo(tokens);

    try (InputStatistics expected = InputStatistics.fold(List.of(parts))) {
      Location whole = workspace.partials(1, 0);
      StatisticsFiles.write(store, whole, List.of(expected), List.of());
      Map<String, TensorSource> wanted = TensorFiles.sources(store, whole);
      Map<String, TensorSource> stored = StatisticsFiles.sources(store, statistics(), INPUT, width);
      assertThat(stored.keySet()).isEqualTo(wanted.keySet());
      stored.forEach(
          (name, tensor) ->
              assertThat(bytes(tensor).equals(bytes(wanted.get(name)))).as(name).isTrue());
    }
    List.of(parts).forEach(InputStatistics::close);
  }

  /** Chunks of several slices, of which one chunk saw nothing. */
  @Test
  void sumsKeptInputsInTheOrderOfChunksAndSlices() {
    float[][] slices = new float[3][];
    int[] tokens = {3, 2, 4};
    for (int i = 0; i < slices.length; i++) {
      slices[i] = gaussian(tokens[i] * TILED);
    }
    observe(0, slices[0], slices[1]);
    TensorFiles.write(store, workspace.partials(0, 1), List.of());
    observe(2, slices[2]);

    assertThat(fold(TILED, 3)).isEqualTo(9);

    try (InputStatistics found =
        StoredStatistics.read(INPUT, StatisticsFiles.sources(store, statistics(), INPUT, TILED))) {
      INDArray gram = found.gram().flatMap(Gram::matrix).orElseThrow();
      float[] row = new float[TILED];
      for (int i : new int[] {0, 1, 4095, 4096, TILED - 1}) {
        Floats.readRow(gram, i, row);
        for (int j = 0; j < TILED; j++) {
          double expected = 0;
          for (float[] slice : slices) {
            for (int at = 0; at < slice.length; at += TILED) {
              expected += (double) slice[at + i] * slice[at + j];
            }
          }
          assertThat(Math.abs(row[j] - expected)).as("[%d, %d]", i, j).isLessThan(1e-4);
        }
      }
    }
  }

  @Test
  void aSliceThatIsMissingIsNamed() {
    observe(0, gaussian(2 * TILED));
    store.delete(workspace.partials(0, 0).parent().child("stage-0000-chunk-00000"));

    assertThatThrownBy(() -> fold(TILED, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(INPUT + ".0000.safetensors");
  }

  @Test
  void aPartWithoutItsTileIsRefused() {
    writeParts(List.of(part(WIDTH, 3), momentsAlone()));

    assertThatThrownBy(() -> fold(WIDTH, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(
            "stage-0000-chunk-00001.safetensors holds no TensorSpec[name=" + INPUT)
        .hasMessageContaining("Calibrate again");
  }

  @Test
  void sumsOfAnotherWidthThanPlannedAreRefused() {
    writeParts(List.of(part(WIDTH + 1, 3)));

    assertThatThrownBy(() -> fold(WIDTH, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("have 9 channels, the plan says 8");
  }

  @Test
  void inputsAreKeptWhereTheirGramWouldBeLarger() {
    KeptInputs kept = new KeptInputs(store, workspace.partials(0, 0), 8192);
    assertThat(kept.keeps(4096)).isFalse();
    assertThat(kept.keeps(8192)).isFalse();
    assertThat(kept.keeps(8193)).isTrue();
    KeptInputs ofLargeChunks = new KeptInputs(store, workspace.partials(0, 0), 1 << 20);
    assertThat(ofLargeChunks.keeps(16384)).isFalse();
    assertThat(ofLargeChunks.keeps(16385)).isTrue();
    KeptInputs ofSmallChunks = new KeptInputs(store, workspace.partials(0, 0), 64);
    assertThat(ofSmallChunks.keeps(4096)).isFalse();
    assertThat(ofSmallChunks.keeps(4097)).isTrue();
  }

  @Test
  void leavesOutChunksThatNoTokenReached() {
    try (InputStatistics only = part(8, 3)) {
      TensorFiles.write(store, workspace.partials(0, 0), List.of());
      StatisticsFiles.write(store, workspace.partials(0, 1), List.of(only), List.of());

      assertThat(fold(WIDTH, 2)).isEqualTo(3);
    }
  }

  @Test
  void storesNothingWhereNoTokenCame() {
    TensorFiles.write(store, workspace.partials(0, 0), List.of());

    assertThat(fold(WIDTH, 1)).isZero();
    assertThat(store.exists(workspace.statistics(INPUT))).isFalse();
  }

  @Test
  void refusesToGuessAMissingChunk() {
    assertThatThrownBy(() -> fold(WIDTH, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("stage-0000-chunk-00000.safetensors");
  }

  private void writeParts(List<InputStatistics> parts) {
    for (int chunk = 0; chunk < parts.size(); chunk++) {
      StatisticsFiles.write(
          store, workspace.partials(0, chunk), List.of(parts.get(chunk)), List.of());
    }
  }

  /** Runs the tasks of an input, the last first, and returns the tokens they report together. */
  private long fold(int width, int chunks) {
    List<FoldTile> tiles = FoldTile.of(store, workspace, statistics(), INPUT, width, 0, chunks);
    long tokens = 0;
    for (int i = tiles.size() - 1; i >= 0; i--) {
      tokens += tiles.get(i).run().tokens();
    }
    return tokens;
  }

  private Location statistics() {
    return workspace.statistics(INPUT).parent();
  }

  private void observe(int chunk, float[]... slices) {
    try (ChunkStatistics sums =
        new ChunkStatistics(store, workspace.partials(0, chunk), 64, Set.of(INPUT), Set.of())) {
      for (float[] slice : slices) {
        try (INDArray x = Floats.of(slice, slice.length / TILED, TILED)) {
          sums.observe(INPUT, x);
        }
      }
      sums.write();
    }
  }

  private static ByteBuffer bytes(TensorSource tensor) {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.spec().bytes()));
    tensor.read(0, bytes);
    return bytes.flip();
  }

  private float[] gaussian(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private InputStatistics momentsAlone() {
    return new InputStatistics(
        INPUT, 1, new double[WIDTH], new double[WIDTH], new float[WIDTH], Optional.empty());
  }

  private InputStatistics part(int width, int tokens) {
    try (StatisticsAccumulator sums = new StatisticsAccumulator(INPUT, width, StatisticsNeed.GRAM);
        INDArray x = Floats.of(gaussian(tokens * width), tokens, width)) {
      sums.observe(x);
      return sums.finish();
    }
  }
}
