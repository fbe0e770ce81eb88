package io.shardpress.jobs.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.run.PublishedFile;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.statistics.KeptInput;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.StoredStatistics;
import io.shardpress.operators.statistics.TileAccumulator;
import io.shardpress.operators.statistics.TileGrid;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class FoldTileTest {
  private static final String INPUT = "model.layers.0.mlp.input";
  private static final long SEED = 5;
  private static final int WIDTH = 8;
  private static final long CHUNK_TOKENS = 64;

  /** Two rows of tiles. */
  private static final int TILED = TileGrid.EDGE + 20;

  private final HadoopStore store = TinyCheckpoint.store();
  private final Random random = new Random(SEED);

  @TempDir private Path folder;
  private Workspace workspace;
  private Location target;

  @BeforeEach
  void place() {
    System.out.println("fold, seed " + SEED);
    workspace = new Workspace(Location.of(folder.toString()));
    target = workspace.root().child("target");
  }

  /** 2100 channels are more rows than are added at a time. */
  @Test
  void addsAsIfAllWereInMemory() {
    KeptInput kept = assertFoldsLikeMemory(2100, part(2100, 3), part(2100, 5));
    assertThat(kept.files()).hasSize(1);
  }

  @Test
  void addsEveryTileByItself() {
    KeptInput kept = assertFoldsLikeMemory(TILED, part(TILED, 3), part(TILED, 2));
    assertThat(kept.files()).extracting(PublishedFile::name).hasSize(4).doesNotHaveDuplicates();
    for (PublishedFile file : kept.files()) {
      assertThat(store.length(target.child(file.name()))).isEqualTo(file.bytes());
    }
  }

  private KeptInput assertFoldsLikeMemory(int width, InputStatistics... parts) {
    writeParts(List.of(parts));
    KeptInput kept = fold(width, parts.length);

    assertThat(kept.input()).isEqualTo(INPUT);
    assertThat(kept.width()).isEqualTo(width);
    try (InputStatistics expected = InputStatistics.fold(List.of(parts))) {
      assertThat(kept.tokens()).isEqualTo(expected.tokens()).isEqualTo(kept.routed());
      Location whole = partial("whole");
      StatisticsFiles.write(store, whole, List.of(expected), List.of());
      Map<String, TensorSource> wanted = TensorFiles.sources(store, whole);
      Map<String, TensorSource> stored = new StoredInput(target, kept).tensors(store);
      assertThat(stored.keySet()).isEqualTo(wanted.keySet());
      stored.forEach(
          (name, tensor) ->
              assertThat(bytes(tensor).equals(bytes(wanted.get(name)))).as(name).isTrue());
    }
    List.of(parts).forEach(InputStatistics::close);
    return kept;
  }

  /** Chunks of several slices, of which one chunk saw nothing. */
  @ParameterizedTest
  @EnumSource(Precision.class)
  void sumsKeptInputsInTheOrderOfChunksAndSlices(Precision precision) {
    float[][] slices = new float[3][];
    int[] tokens = {3, 2, 4};
    for (int i = 0; i < slices.length; i++) {
      slices[i] = gaussian(tokens[i] * TILED);
      for (int j = 0; j < slices[i].length && precision == Precision.BF16; j++) {
        slices[i][j] = FloatCodec.roundTo(DType.BF16, slices[i][j]);
      }
    }
    observe(precision, 0, slices[0], slices[1]);
    TensorFiles.write(store, partial("chunk-1"), List.of());
    observe(precision, 2, slices[2]);

    KeptInput kept = fold(TILED, 3);

    assertThat(kept.tokens()).isEqualTo(9);
    try (InputStatistics found =
        StoredStatistics.read(INPUT, new StoredInput(target, kept).tensors(store))) {
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
    observe(Precision.F32, 0, gaussian(2 * TILED));
    store.delete(workspace.partials().child("chunk-0"));

    assertThatThrownBy(() -> fold(TILED, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(INPUT + ".0000.safetensors");
  }

  @Test
  void aPartWithoutItsTileIsRefused() {
    writeParts(List.of(part(WIDTH, 3), momentsAlone()));

    assertThatThrownBy(() -> fold(WIDTH, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("chunk-1.safetensors does not hold " + INPUT + ".gram.0.0 [36]")
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
  void tasksThatSumKeptInputsSayWhatTheyNeed() {
    assertThat(folder(WIDTH).tiles(INPUT, List.of())).hasSize(1);
    assertThat(folder(WIDTH).tiles(INPUT, List.of()).get(0).memory()).isEqualTo(TaskMemory.NONE);
    List<FoldTile> tiles = folder(TILED).tiles(INPUT, List.of());
    assertThat(tiles).hasSize(3);
    assertThat(tiles.get(0).memory().ownBytes())
        .isEqualTo(TileAccumulator.nativeBytes(TileGrid.of(TILED), CHUNK_TOKENS, DType.F32));
  }

  @Test
  void leavesOutChunksThatNoTokenReached() {
    try (InputStatistics only = part(8, 3)) {
      TensorFiles.write(store, partial("chunk-0"), List.of());
      StatisticsFiles.write(store, partial("chunk-1"), List.of(only), List.of());

      assertThat(fold(WIDTH, 2).tokens()).isEqualTo(3);
    }
  }

  @Test
  void storesNothingWhereNoTokenCame() {
    TensorFiles.write(store, partial("chunk-0"), List.of());

    assertThat(fold(TILED, 1).hasStatistics()).isFalse();
    assertThat(store.list(target)).isEmpty();
  }

  @Test
  void refusesToGuessAMissingChunk() {
    assertThatThrownBy(() -> fold(WIDTH, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("partials/chunk-0.safetensors");
  }

  private void writeParts(List<InputStatistics> parts) {
    for (int chunk = 0; chunk < parts.size(); chunk++) {
      StatisticsFiles.write(store, partial("chunk-" + chunk), List.of(parts.get(chunk)), List.of());
    }
  }

  /** Runs the tasks of an input, the last first. */
  private KeptInput fold(int width, int chunks) {
    List<String> files =
        IntStream.range(0, chunks).mapToObj(i -> "chunk-" + i + ".safetensors").toList();
    List<FoldTile> tiles = folder(width).tiles(INPUT, files);
    KeptInput[] kept = new KeptInput[tiles.size()];
    for (int i = tiles.size() - 1; i >= 0; i--) {
      kept[i] = tiles.get(i).run();
    }
    return Stream.of(kept).reduce(PassFolder::together).orElseThrow();
  }

  private PassFolder folder(int width) {
    return new PassFolder(
        store, workspace, target, Map.of(INPUT, width), CHUNK_TOKENS, Precision.F32);
  }

  private Location partial(String name) {
    return workspace.partials().child(name + ".safetensors");
  }

  private void observe(Precision precision, int chunk, float[]... slices) {
    Location file = partial("chunk-" + chunk);
    KeptInputs kept = new KeptInputs(store, file, CHUNK_TOKENS);
    try (ChunkStatistics sums = new ChunkStatistics(Set.of(INPUT), Set.of(), kept)) {
      for (float[] slice : slices) {
        try (INDArray x = Floats.of(slice, slice.length / TILED, TILED);
            INDArray rounded = BFloats.rounded(x)) {
          sums.observe(INPUT, precision == Precision.BF16 ? rounded : x);
        }
      }
      sums.write(store, file);
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
