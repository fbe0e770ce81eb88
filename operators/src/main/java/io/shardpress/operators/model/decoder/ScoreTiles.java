package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Tiles of attention scores, of any shape up to a largest, all in the same memory. */
final class ScoreTiles implements AutoCloseable {
  private final INDArray wide;
  private final Optional<INDArray> narrow;
  private final Map<Shape, ScoreTile> tiles = new HashMap<>();

  private record Shape(int queries, int keys) {}

  ScoreTiles(int queries, int keys, Precision precision) {
    wide = Floats.uninitialized(queries, keys);
    narrow =
        precision == Precision.BF16
            ? Optional.of(BFloats.uninitialized(queries, keys))
            : Optional.empty();
  }

  /** The tile of that shape, whose content is that of the last one handed out. */
  ScoreTile of(int queries, int keys) {
    return tiles.computeIfAbsent(
        new Shape(queries, keys),
        shape ->
            new ScoreTile(
                Floats.view(wide, queries, keys),
                narrow.map(whole -> Floats.view(whole, queries, keys))));
  }

  @Override
  public void close() {
    tiles.values().forEach(ScoreTile::close);
    wide.close();
    narrow.ifPresent(INDArray::close);
  }
}
