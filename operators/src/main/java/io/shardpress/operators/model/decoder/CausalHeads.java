package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.linalg.Softmax;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.HeadShape;
import io.shardpress.operators.model.description.QkvSource.Columns;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal attention of one sequence at a time, tile by tile of queries against the keys they may
 * see. All query heads of one key-value head share a tile, so keys and values are never repeated,
 * and scores beyond a tile's last query are never computed. Buffers are reused over sequences: one
 * instance per thread.
 */
final class CausalHeads implements AutoCloseable {
  /** Query rows in a tile, over all heads of a group. */
  private static final int TILE_ROWS = 256;

  private final AttentionSpec spec;
  private final HeadShape shape;
  private final int length;
  private final HeadRows queryRows;
  private final HeadRows keyRows;

  /** Positions in a tile. */
  private final int tile;

  private final float[][] projected;
  private final float[] rows;
  private final float[] context;

  private final Operand keys;
  private final Operand values;
  private final Operand queries;
  private final ScoreTiles tiles;
  private final INDArray attended;

  CausalHeads(
      AttentionSpec spec, int length, HeadRows queryRows, HeadRows keyRows, Precision precision) {
    this.spec = spec;
    this.shape = spec.shape();
    this.length = length;
    this.queryRows = queryRows;
    this.keyRows = keyRows;
    int size = shape.headSize();
    tile = Math.min(length, Math.max(16, TILE_ROWS / shape.group()));
    int tileRows = tile * shape.group();
    projected =
        spec.qkv().linears().stream()
            .map(linear -> new float[Math.toIntExact(length * linear.out())])
            .toArray(float[][]::new);
    rows = new float[Math.max(length, tileRows) * size];
    context = new float[Math.multiplyExact(length, shape.queryWidth())];
    keys = Operand.of(length, size, precision);
    values = Operand.of(length, size, precision);
    queries = Operand.of(tileRows, size, precision);
    tiles = new ScoreTiles(tileRows, length, precision);
    attended = Floats.uninitialized(tileRows, size);
  }

  /**
   * Attends within the {@code length} rows from {@code firstRow}.
   *
   * @param linears outputs of the description's qkv linears, {@code [tokens, out]}
   * @return {@code [length, heads * headSize]}, valid until the next call
   */
  float[] apply(List<INDArray> linears, int firstRow) {
    for (int i = 0; i < projected.length; i++) {
      Floats.readRows(linears.get(i), firstRow, length, projected[i]);
    }
    for (int head = 0; head < shape.keyValueHeads(); head++) {
      gather(spec.qkv().key(head, shape), rows);
      for (int position = 0; position < length; position++) {
        keyRows.apply(rows, position * shape.headSize(), shape.headSize(), position);
      }
      keys.set(rows, length, shape.headSize());
      gather(spec.qkv().value(head, shape), rows);
      values.set(rows, length, shape.headSize());
      for (int from = 0; from < length; from += tile) {
        attend(head, from, Math.min(length, from + tile));
      }
    }
    return context;
  }

  private void gather(Columns columns, float[] into) {
    float[] source = projected[columns.linear()];
    int stride = source.length / length;
    for (int position = 0; position < length; position++) {
      System.arraycopy(
          source,
          position * stride + columns.first(),
          into,
          position * shape.headSize(),
          shape.headSize());
    }
  }

  /** Queries {@code [from, to)} of all heads of one group. */
  private void attend(int keyValueHead, int from, int to) {
    int size = shape.headSize();
    int count = shape.group() * (to - from);
    int firstKey = firstVisible(from);
    int visible = to - firstKey;
    gatherQueries(keyValueHead, from, to);
    queries.set(rows, count, size);
    ScoreTile tile = tiles.of(count, visible);
    Products.timesTransposed(
        queries.block(0, count, size),
        keys.block(firstKey, visible, size),
        Block.all(tile.scores()));
    capAndMask(tile.scores(), from, to, firstKey);
    Products.times(
        tile.weights(), values.block(firstKey, visible, size), Block.rows(attended, 0, count));
    Floats.readRows(attended, 0, count, rows);
    for (int row = 0; row < count; row++) {
      int position = from + row % (to - from);
      int head = keyValueHead * shape.group() + row / (to - from);
      System.arraycopy(
          rows, row * size, context, position * shape.queryWidth() + head * size, size);
    }
  }

  private void gatherQueries(int keyValueHead, int from, int to) {
    int size = shape.headSize();
    int row = 0;
    for (int member = 0; member < shape.group(); member++) {
      Columns columns = spec.qkv().query(keyValueHead * shape.group() + member, shape);
      float[] source = projected[columns.linear()];
      int stride = source.length / length;
      for (int position = from; position < to; position++, row++) {
        System.arraycopy(source, position * stride + columns.first(), rows, row * size, size);
        queryRows.apply(rows, row * size, size, position);
      }
    }
  }

  /** A row's softmax is to see the keys that its position sees. */
  private void capAndMask(INDArray scores, int from, int to, int firstKey) {
    int visible = Floats.columns(scores);
    spec.softCap()
        .ifPresent(
            cap ->
                RowChunks.edit(
                    scores, (row, at) -> RowLoops.softCap(row, at, visible, (float) cap)));
    int[] begins = new int[Floats.rows(scores)];
    int[] ends = new int[begins.length];
    for (int row = 0; row < begins.length; row++) {
      int position = from + row % (to - from);
      begins[row] = firstVisible(position) - firstKey;
      ends[row] = position + 1 - firstKey;
    }
    Softmax.mask(scores, begins, ends);
  }

  private int firstVisible(int position) {
    return Math.max(0, position + 1 - spec.window().orElse(length));
  }

  @Override
  public void close() {
    List.of(keys, values, queries).forEach(Operand::close);
    tiles.close();
    attended.close();
  }
}
