package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.HeadShape;
import io.shardpress.operators.model.description.QkvSource.Columns;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal attention of one sequence at a time, tile by tile of queries against the keys they may
 * see. All query heads of one key-value head share a tile, so keys and values are never repeated,
 * and scores beyond a tile's last query are never computed. Buffers are reused over sequences: one
 * instance per thread.
 */
final class CausalHeads {
  /** Query rows in a tile, over all heads of a group. */
  private static final int TILE_ROWS = 128;

  private final AttentionSpec spec;
  private final HeadShape shape;
  private final int length;
  private final HeadRows queryRows;
  private final HeadRows keyRows;

  /** Positions in a tile. */
  private final int tile;

  private final float[][] projected;
  private final float[] keys;
  private final float[] values;
  private final float[] queries;
  private final float[] scores;
  private final float[] attended;
  private final float[] context;

  CausalHeads(AttentionSpec spec, int length, HeadRows queryRows, HeadRows keyRows) {
    this.spec = spec;
    this.shape = spec.shape();
    this.length = length;
    this.queryRows = queryRows;
    this.keyRows = keyRows;
    int size = shape.headSize();
    tile = Math.min(length, Math.max(16, TILE_ROWS / shape.group()));
    int rows = tile * shape.group();
    projected =
        spec.qkv().linears().stream()
            .map(linear -> new float[Math.toIntExact(length * linear.out())])
            .toArray(float[][]::new);
    keys = new float[length * size];
    values = new float[length * size];
    queries = new float[rows * size];
    scores = new float[Math.multiplyExact(rows, length)];
    attended = new float[rows * size];
    context = new float[Math.multiplyExact(length, shape.queryWidth())];
  }

  /**
   * Attends within the {@code length} rows from {@code firstRow}.
   *
   * @param linears outputs of the description's qkv linears, {@code [tokens, out]}
   * @param into {@code [tokens, heads * headSize]}
   */
  void apply(List<INDArray> linears, int firstRow, INDArray into) {
    for (int i = 0; i < projected.length; i++) {
      Floats.readRows(linears.get(i), firstRow, length, projected[i]);
    }
    for (int head = 0; head < shape.keyValueHeads(); head++) {
      gather(spec.qkv().key(head, shape), keys);
      for (int position = 0; position < length; position++) {
        keyRows.apply(keys, position * shape.headSize(), shape.headSize(), position);
      }
      gather(spec.qkv().value(head, shape), values);
      for (int from = 0; from < length; from += tile) {
        attend(head, from, Math.min(length, from + tile));
      }
    }
    Floats.writeRows(into, firstRow, length, context);
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
    int rows = shape.group() * (to - from);
    int firstKey = firstVisible(from);
    int visible = to - firstKey;
    gatherQueries(keyValueHead, from, to);
    try (INDArray q = matrix(queries, 0, rows);
        INDArray k = matrix(keys, firstKey, visible);
        INDArray v = matrix(values, firstKey, visible);
        INDArray s = Products.timesTransposed(q, k)) {
      Floats.readRows(s, 0, rows, scores);
      for (int row = 0; row < rows; row++) {
        int position = from + row % (to - from);
        normalize(row * visible, visible, position, firstKey);
      }
      Floats.writeRows(s, 0, rows, scores);
      try (INDArray a = Products.times(s, v)) {
        Floats.readRows(a, 0, rows, attended);
      }
    }
    for (int row = 0; row < rows; row++) {
      int position = from + row % (to - from);
      int head = keyValueHead * shape.group() + row / (to - from);
      System.arraycopy(
          attended, row * size, context, position * shape.queryWidth() + head * size, size);
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
        System.arraycopy(source, position * stride + columns.first(), queries, row * size, size);
        queryRows.apply(queries, row * size, size, position);
      }
    }
  }

  /** Softmax over the keys that {@code position} sees; the others get weight zero. */
  private void normalize(int row, int visible, int position, int firstKey) {
    int begin = firstVisible(position) - firstKey;
    int end = position + 1 - firstKey;
    Arrays.fill(scores, row, row + begin, 0f);
    Arrays.fill(scores, row + end, row + visible, 0f);
    if (spec.softCap().isPresent()) {
      RowLoops.softCap(scores, row + begin, end - begin, (float) spec.softCap().getAsDouble());
    }
    RowLoops.softmax(scores, row + begin, end - begin);
  }

  private int firstVisible(int position) {
    return Math.max(0, position + 1 - spec.window().orElse(length));
  }

  private INDArray matrix(float[] source, int firstRow, int rows) {
    int size = shape.headSize();
    INDArray matrix = Floats.uninitialized(rows, size);
    Floats.writeRows(
        matrix,
        0,
        rows,
        firstRow == 0
            ? source
            : Arrays.copyOfRange(source, firstRow * size, (firstRow + rows) * size));
    return matrix;
  }
}
