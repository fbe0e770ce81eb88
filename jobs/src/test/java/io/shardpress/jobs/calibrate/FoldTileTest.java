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
import io.shardpress.jobs.plan.WideInputs;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.StoredStatistics;
import io.shardpress.operators.statistics.TileGrid;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
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

  /** Two rows of tiles. */
  private static final int TILED = TileGrid.EDGE + 20;

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
    assertFoldsLikeMemory(2100, part(2100, 3), part(2100, 5));
    assertThat(store.list(target)).hasSize(1);
  }

  @Test
  void addsEveryTileByItself() {
    assertFoldsLikeMemory(TILED, part(TILED, 3), part(TILED, 2));
    assertThat(store.list(target)).as("a file for each tile").hasSize(3);
  }

  private void assertFoldsLikeMemory(int width, InputStatistics... parts) {
    writeParts(List.of(parts));
    long tokens = 0;
    for (InputStatistics part : parts) {
      tokens += part.tokens();
    }

    assertThat(fold(width, parts.length)).isEqualTo(tokens);

    try (InputStatistics expected = InputStatistics.fold(List.of(parts))) {
      Location whole = partials.child("whole");
      StatisticsFiles.write(store, whole, List.of(expected), List.of());
      Map<String, TensorSource> wanted = TensorFiles.sources(store, whole);
      Map<String, TensorSource> stored = sources();
      assertThat(stored.keySet()).isEqualTo(wanted.keySet());
      stored.forEach(
          (name, tensor) ->
              assertThat(bytes(tensor).equals(bytes(wanted.get(name)))).as(name).isTrue());
    }
    List.of(parts).forEach(InputStatistics::close);
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
    TensorFiles.write(store, chunk(1), List.of());
    observe(precision, 2, slices[2]);

    assertThat(fold(TILED, 3)).isEqualTo(9);

    try (InputStatistics found = StoredStatistics.read(INPUT, sources())) {
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
    store.delete(partials.child("chunk-0"));

    assertThatThrownBy(() -> fold(TILED, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(INPUT + ".0000.safetensors");
  }

  @Test
  void aPartWithoutItsTileIsRefused() {
    writeParts(List.of(part(WIDTH, 3), momentsAlone()));

    assertThatThrownBy(() -> fold(WIDTH, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("chunk-1.safetensors holds no TensorSpec[name=" + INPUT)
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
    assertThat(WideInputs.areKept(4096, 8192)).isFalse();
    assertThat(WideInputs.areKept(8192, 8192)).isFalse();
    assertThat(WideInputs.areKept(8193, 8192)).isTrue();
    assertThat(WideInputs.areKept(16384, 1 << 20)).isFalse();
    assertThat(WideInputs.areKept(16385, 1 << 20)).isTrue();
    assertThat(WideInputs.areKept(4096, 64)).isFalse();
    assertThat(WideInputs.areKept(4097, 64)).isTrue();
  }

  @Test
  void leavesOutChunksThatNoTokenReached() {
    try (InputStatistics only = part(8, 3)) {
      TensorFiles.write(store, chunk(0), List.of());
      StatisticsFiles.write(store, chunk(1), List.of(only), List.of());

      assertThat(fold(WIDTH, 2)).isEqualTo(3);
    }
  }

  @Test
  void storesNothingWhereNoTokenCame() {
    TensorFiles.write(store, chunk(0), List.of());

    assertThat(fold(WIDTH, 1)).isZero();
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
      StatisticsFiles.write(store, chunk(chunk), List.of(parts.get(chunk)), List.of());
    }
  }

  private Location chunk(int index) {
    return partials.child("chunk-%d.safetensors".formatted(index));
  }

  /** Runs the tasks of an input, the last first, and returns the tokens that they all report. */
  private long fold(int width, int chunks) {
    List<String> files = IntStream.range(0, chunks).mapToObj(i -> chunk(i).name()).toList();
    TileGrid grid = TileGrid.of(width);
    Set<Long> tokens = new HashSet<>();
    List<Place> places = grid.places();
    for (int i = places.size() - 1; i >= 0; i--) {
      FoldTile.Folded folded =
          new FoldTile(
                  store,
                  partials,
                  files,
                  target,
                  INPUT,
                  grid,
                  places.get(i),
                  StatisticsNeed.GRAM,
                  64)
              .run();
      tokens.add(folded.tokens());
      assertThat(folded.files()).hasSize(folded.tokens() == 0 ? 0 : 1);
    }
    assertThat(tokens).hasSize(1);
    return tokens.iterator().next();
  }

  private Map<String, TensorSource> sources() {
    Map<String, TensorSource> tensors = new HashMap<>();
    store
        .list(target)
        .forEach(file -> tensors.putAll(TensorFiles.sources(store, target.child(file.name()))));
    return tensors;
  }

  private void observe(Precision precision, int chunk, float[]... slices) {
    try (ChunkStatistics sums =
        new ChunkStatistics(store, chunk(chunk), 64, Set.of(INPUT), Set.of(), Set.of())) {
      for (float[] slice : slices) {
        try (INDArray x = Floats.of(slice, slice.length / TILED, TILED);
            INDArray rounded = BFloats.rounded(x)) {
          sums.observe(INPUT, precision == Precision.BF16 ? rounded : x);
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
