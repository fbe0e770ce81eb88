package io.shardpress.operators.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.NumericalException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class StoredGramTest {
  private static final long SEED = 20270116;

  /** Just too wide for memory: three rows of tiles, the last of one row. */
  private static final int WIDE = 8193;

  @ParameterizedTest
  @CsvSource({"5, 5", "10, 4", "33, 32", "100, 7"})
  void tilesComeBackBitForBit(int n, int edge) {
    TileGrid grid = new TileGrid(n, edge);
    try (INDArray matrix = symmetric(n)) {
      Map<Place, RawTensor> tiles = stored(grid, matrix);
      StoredGram gram = new StoredGram("in", grid, tiles);
      assertThat(gram.matrix()).isEmpty();
      assertThat(gram.diagonal()).as("seed %d", SEED).isEqualTo(Gram.diagonalOf(matrix));
      for (Place place : grid.places()) {
        try (GramTile tile = gram.tile(place)) {
          float[] expected = new float[tile.rows() * tile.columns()];
          Floats.readBlock(
              matrix, tile.firstRow(), tile.rows(), tile.firstColumn(), tile.columns(), expected);
          assertThat(Floats.toArray(tile.values())).isEqualTo(expected);
          assertThat(tile.onDiagonal()).isEqualTo(place.onDiagonal());
        }
      }
    }
  }

  @Test
  void aValueThatIsNotFiniteIsNamedWhenItsTileIsRead() {
    TileGrid grid = new TileGrid(10, 4);
    try (INDArray matrix = symmetric(10)) {
      Map<Place, RawTensor> tiles = stored(grid, matrix);
      tiles.get(new Place(1, 2)).data().putFloat(3 * Float.BYTES, Float.POSITIVE_INFINITY);
      StoredGram gram = new StoredGram("in", grid, tiles);
      gram.tile(new Place(1, 1)).close();
      assertThatThrownBy(() -> gram.tile(new Place(1, 2)))
          .isInstanceOf(NumericalException.class)
          .hasMessageContaining("input in are not finite (Gram row 5)");
    }
  }

  /** More than one tile, and still read whole. */
  @Test
  void severalTilesBecomeOneMatrixInMemory() {
    int n = TileGrid.EDGE + 3;
    try (INDArray x = row(n);
        StatisticsAccumulator sums = new StatisticsAccumulator("in", n, StatisticsNeed.GRAM)) {
      sums.observe(x);
      try (InputStatistics statistics = sums.finish()) {
        Map<String, RawTensor> tensors = new LinkedHashMap<>();
        for (TensorSpec spec : StoredStatistics.specs(statistics)) {
          ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(spec.bytes()));
          StoredStatistics.write(statistics, spec, bytes::put);
          tensors.put(spec.name(), new RawTensor(spec, bytes.flip()));
        }
        assertThat(tensors.keySet()).contains("in.gram.0.0", "in.gram.0.1", "in.gram.1.1");
        try (InputStatistics back = StoredStatistics.read("in", tensors);
            INDArray expected = statistics.gram().flatMap(Gram::matrix).orElseThrow()) {
          INDArray found = back.gram().flatMap(Gram::matrix).orElseThrow();
          float[] left = new float[n];
          float[] right = new float[n];
          for (int i = 0; i < n; i += i < n - 5 ? 97 : 1) {
            Floats.readRow(expected, i, left);
            Floats.readRow(found, i, right);
            assertThat(right).as("row %d", i).isEqualTo(left);
          }
        }
      }
    }
  }

  @Test
  void aWideGramStaysWhereItIsUntilItsTilesAreAskedFor() {
    Map<String, TensorSource> tensors = wide();
    AtomicInteger reads = new AtomicInteger();
    TileGrid grid = TileGrid.of(WIDE);
    for (Place place : grid.places()) {
      TensorSpec spec = StoredStatistics.tile("in", grid, place);
      tensors.put(spec.name(), new Ones(spec, reads));
    }
    try (InputStatistics statistics = StoredStatistics.read("in", tensors)) {
      Gram gram = statistics.gram().orElseThrow();
      assertThat(gram.width()).isEqualTo(WIDE);
      assertThat(gram.matrix()).isEmpty();
      assertThat(reads).hasValue(0);
      try (GramTile corner = gram.tile(new Place(1, 2))) {
        assertThat(corner.firstRow()).isEqualTo(4096);
        assertThat(corner.firstColumn()).isEqualTo(8192);
        assertThat(Floats.toArray(corner.values())).hasSize(4096).containsOnly(1);
        assertThat(reads).hasValue(1);
      }
    }
    tensors.remove("in.gram.1.2");
    assertThatThrownBy(() -> StoredStatistics.read("in", tensors))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no tensor in.gram.1.2: the store is incomplete");
    TensorSpec turned = TensorSpec.of("in.gram.1.2", DType.F32, 1, 4096);
    tensors.put(turned.name(), new Ones(turned, reads));
    assertThatThrownBy(() -> StoredStatistics.read("in", tensors))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("in.gram.1.2 are F32 [1, 4096], expected F32 [4096, 1]");
  }

  @Test
  void namesOfOneInputAreNotThoseOfAnother() {
    assertThat(StoredStatistics.belongsTo("a.b", "a.b.gram.0.12")).isTrue();
    assertThat(StoredStatistics.belongsTo("a.b", "a.b.tokens")).isTrue();
    assertThat(StoredStatistics.belongsTo("a", "a.b.gram.0.12")).isFalse();
    assertThat(StoredStatistics.belongsTo("a.b", "a.bc.tokens")).isFalse();
    assertThat(StoredStatistics.belongsTo("a.b", "a.b.gram.0")).isFalse();
    assertThat(StoredStatistics.isGram(TensorSpec.of("a.gram.1.2", DType.F32, 1, 1))).isTrue();
    assertThat(StoredStatistics.isGram(TensorSpec.of("a.gram.1.2.tokens", DType.I64, 1))).isFalse();
  }

  /** Moments that are all zero, without the Gram. */
  private static Map<String, TensorSource> wide() {
    Map<String, TensorSource> tensors = new HashMap<>();
    for (TensorSpec spec : StoredStatistics.moments("in", WIDE)) {
      ByteBuffer zeros = ByteBuffer.allocate(Math.toIntExact(spec.bytes()));
      tensors.put(spec.name(), new RawTensor(spec, zeros));
    }
    return tensors;
  }

  /** A tensor of ones that takes no memory, and counts how often it is read. */
  @SuppressWarnings("ArrayRecordComponent") // a counter that the test reads
  private record Ones(TensorSpec spec, AtomicInteger reads) implements TensorSource {
    @Override
    public void read(long offset, ByteBuffer into) {
      reads.incrementAndGet();
      while (into.hasRemaining()) {
        into.putFloat(1);
      }
    }
  }

  private static Map<Place, RawTensor> stored(TileGrid grid, INDArray matrix) {
    Map<Place, RawTensor> tiles = new HashMap<>();
    for (Place place : grid.places()) {
      TensorSpec spec = StoredStatistics.tile("in", grid, place);
      ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(spec.bytes()));
      TileBytes.write(
          grid, place, matrix, grid.first(place.row()), grid.first(place.column()), bytes::put);
      tiles.put(place, new RawTensor(spec, bytes.flip()));
    }
    return tiles;
  }

  private static INDArray symmetric(int n) {
    Random random = new Random(SEED);
    float[] values = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = i; j < n; j++) {
        values[i * n + j] = (float) random.nextGaussian();
        values[j * n + i] = values[i * n + j];
      }
    }
    return Floats.of(values, n, n);
  }

  private static INDArray row(int n) {
    Random random = new Random(SEED);
    float[] values = new float[n];
    for (int j = 0; j < n; j++) {
      values[j] = (float) random.nextGaussian();
    }
    return Floats.of(values, 1, n);
  }
}
