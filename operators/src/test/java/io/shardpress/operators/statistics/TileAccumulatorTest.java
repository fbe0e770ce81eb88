package io.shardpress.operators.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.NumericalException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class TileAccumulatorTest {
  private static final long SEED = 20270115;

  /** Two chunks, the first in two slices. */
  private static final int[][] CHUNKS = {{33, 40}, {17}};

  /** The borders of products are those of the whole Gram where the edge is a multiple of 512. */
  @ParameterizedTest
  @CsvSource({"1100, 512, F32", "1100, 512, BF16", "1030, 1024, BF16"})
  void tilesAreThoseOfTheWholeGram(int n, int edge, DType type) {
    compareWithTheWhole(n, edge, type, type == DType.BF16 ? 0 : 1e-6);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, F32", "7, 3, F32", "130, 33, BF16", "600, 100, F32"})
  void tilesOfAnySizeSumTheSameProducts(int n, int edge, DType type) {
    compareWithTheWhole(n, edge, type, 1e-6);
  }

  private static void compareWithTheWhole(int n, int edge, DType type, double tolerance) {
    TileGrid grid = new TileGrid(n, edge);
    try (InputStatistics whole = whole(n, type)) {
      float[] expected = Floats.toArray(whole.gram().flatMap(Gram::matrix).orElseThrow());
      for (Place place : grid.places()) {
        float[] found = tile(grid, place, type, 2);
        assertThat(tile(grid, place, type, 1)).as("threads").isEqualTo(found);
        int columns = grid.size(place.column());
        for (int i = 0; i < grid.size(place.row()); i++) {
          int row = grid.first(place.row()) + i;
          double length = Math.sqrt(expected[row * n + row]);
          for (int j = place.onDiagonal() ? i : 0; j < columns; j++) {
            int column = grid.first(place.column()) + j;
            double size = length * Math.sqrt(expected[column * n + column]);
            assertThat((double) found[i * columns + j])
                .as("seed %d, [%d, %d]", SEED, row, column)
                .isCloseTo(expected[row * n + column], within(tolerance * size));
          }
        }
      }
    }
  }

  private static InputStatistics whole(int n, DType type) {
    List<InputStatistics> parts = new ArrayList<>();
    for (int chunk = 0; chunk < CHUNKS.length; chunk++) {
      try (StatisticsAccumulator sums = new StatisticsAccumulator("in", n, StatisticsNeed.GRAM)) {
        for (int slice = 0; slice < CHUNKS[chunk].length; slice++) {
          try (INDArray x = strip(n, 0, n, chunk, slice, type)) {
            sums.observe(x);
          }
        }
        parts.add(sums.finish());
      }
    }
    try {
      return InputStatistics.fold(parts);
    } finally {
      parts.forEach(InputStatistics::close);
    }
  }

  private static float[] tile(TileGrid grid, Place place, DType type, int threads) {
    return Workers.on(
        threads,
        () -> {
          try (TileAccumulator sums = new TileAccumulator("in", grid, place)) {
            for (int chunk = 0; chunk < CHUNKS.length; chunk++) {
              for (int slice = 0; slice < CHUNKS[chunk].length; slice++) {
                try (INDArray left = strip(grid, place.row(), chunk, slice, type);
                    INDArray right = strip(grid, place.column(), chunk, slice, type)) {
                  sums.observe(left, right);
                }
              }
              sums.endChunk();
            }
            try (INDArray tile = sums.finish()) {
              float[] values = Floats.toArray(tile);
              for (int i = 0; place.onDiagonal() && i < Floats.rows(tile); i++) {
                Arrays.fill(values, i * Floats.columns(tile), i * Floats.columns(tile) + i, 0);
              }
              return values;
            }
          }
        });
  }

  private static INDArray strip(TileGrid grid, int index, int chunk, int slice, DType type) {
    return strip(grid.width(), grid.first(index), grid.size(index), chunk, slice, type);
  }

  /** Some channels of the inputs of a slice. */
  private static INDArray strip(int n, int from, int count, int chunk, int slice, DType type) {
    Random random = new Random(SEED + 10L * chunk + slice);
    int tokens = CHUNKS[chunk][slice];
    float[] values = new float[tokens * count];
    for (int i = 0; i < tokens * n; i++) {
      float value = (float) random.nextGaussian();
      if (i % n >= from && i % n < from + count) {
        values[i / n * count + i % n - from] = value;
      }
    }
    INDArray strip = Floats.of(values, tokens, count);
    if (type == DType.F32) {
      return strip;
    }
    try (strip) {
      return BFloats.rounded(strip);
    }
  }

  @Test
  void chunksAddInF64() {
    // In F32 the small chunks would vanish one by one beside the large one.
    try (TileAccumulator sums = new TileAccumulator("in", new TileGrid(2, 1), new Place(0, 1))) {
      observe(sums, 4096);
      sums.endChunk();
      for (int i = 0; i < 64; i++) {
        observe(sums, 0.5f);
        sums.endChunk();
        sums.endChunk(); // an empty chunk
      }
      try (INDArray tile = sums.finish()) {
        assertThat(Floats.toArray(tile)).containsExactly(16777216f + 16);
      }
      assertThatThrownBy(sums::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("Tile 0.1 of in was handed over already");
    }
  }

  private static void observe(TileAccumulator sums, float value) {
    try (INDArray x = Floats.vector(value)) {
      sums.observe(x, x);
    }
  }

  @Test
  void aSumBeyondF32IsNamed() {
    try (TileAccumulator sums = new TileAccumulator("in", new TileGrid(2, 1), new Place(0, 1))) {
      observe(sums, 1.8e19f);
      sums.endChunk();
      observe(sums, 1.8e19f);
      assertThatThrownBy(sums::finish)
          .isInstanceOf(NumericalException.class)
          .hasMessageStartingWith("The statistics of input in are not finite (Gram row 0)");
    }
  }

  @Test
  void noTokensGiveZeros() {
    TileGrid grid = new TileGrid(3, 2);
    try (TileAccumulator sums = new TileAccumulator("in", grid, new Place(0, 1));
        INDArray none = Floats.zeros(0, 2)) {
      sums.observe(none, none);
      try (INDArray tile = sums.finish()) {
        assertThat(Floats.toArray(tile)).containsExactly(0, 0);
      }
    }
  }

  @Test
  void memoryIsTheSumsAndTheStrips() {
    TileGrid grid = TileGrid.of(28672);
    long square = 4096L * 4096;
    assertThat(TileAccumulator.nativeBytes(grid, 4096, DType.F32))
        .isEqualTo(12 * square + 8 * square);
    assertThat(TileAccumulator.nativeBytes(grid, 4096, DType.BF16))
        .isEqualTo(12 * square + 12 * square);
  }
}
