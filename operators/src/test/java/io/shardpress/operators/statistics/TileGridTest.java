package io.shardpress.operators.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.operators.statistics.TileGrid.Place;
import org.junit.jupiter.api.Test;

class TileGridTest {
  @Test
  void tilesCoverTheUpperTriangle() {
    TileGrid grid = new TileGrid(10, 4);
    assertThat(grid.places())
        .containsExactly(
            new Place(0, 0),
            new Place(0, 1),
            new Place(0, 2),
            new Place(1, 1),
            new Place(1, 2),
            new Place(2, 2));
    assertThat(grid.first(2)).isEqualTo(8);
    assertThat(grid.size(1)).isEqualTo(4);
    assertThat(grid.size(2)).isEqualTo(2);
  }

  @Test
  void widthsOfLargeModelsFit() {
    assertThat(TileGrid.of(4096).count()).isEqualTo(1);
    assertThat(TileGrid.of(4097).count()).isEqualTo(2);
    TileGrid widest = TileGrid.of(53_248);
    assertThat(widest.count()).isEqualTo(13);
    assertThat(widest.first(12) + widest.size(12)).isEqualTo(53_248);
    long elements =
        widest.places().stream().mapToLong(place -> TileBytes.elements(widest, place)).sum();
    assertThat(elements).isEqualTo(53_248L * 53_249 / 2);
  }

  @Test
  void placesBelowTheDiagonalAndEmptyGridsAreRefused() {
    assertThatThrownBy(() -> new Place(2, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Tile 2.1 lies below the diagonal");
    assertThatThrownBy(() -> new TileGrid(0, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("0 channels in tiles of 4: give at least one");
  }
}
