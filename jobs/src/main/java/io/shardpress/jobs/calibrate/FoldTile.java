package io.shardpress.jobs.calibrate;

import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.StatisticsFiles;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import io.shardpress.operators.statistics.TileAccumulator;
import io.shardpress.operators.statistics.TileGrid;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Adds one tile of the Gram of one input over the chunks, in their order, and stores it; the task
 * of the first tile adds the moments too. Partial Grams are added some elements at a time, so that
 * memory holds neither all chunks' tiles nor one of them; where inputs were kept instead, the tile
 * is summed from those.
 *
 * @param statistics the folder of folded statistics
 */
record FoldTile(
    HadoopStore store,
    Workspace workspace,
    Location statistics,
    String input,
    TileGrid grid,
    Place place,
    int stage,
    int chunks)
    implements Work<FoldTile.Folded> {
  /** Elements of a Gram that are added at a time: 4 MiB of F32. */
  private static final int PIECE = 1 << 20;

  /**
   * @param tokens tokens that reached the input in all chunks, 0 from all tasks but that of the
   *     first tile; an input that none reached leaves no statistics behind
   */
  record Folded(String input, long tokens) implements java.io.Serializable {}

  /** The tasks that fold an input of {@code width} channels. */
  static List<FoldTile> of(
      HadoopStore store,
      Workspace workspace,
      Location statistics,
      String input,
      int width,
      int stage,
      int chunks) {
    TileGrid grid = TileGrid.of(width);
    return grid.places().stream()
        .map(place -> new FoldTile(store, workspace, statistics, input, grid, place, stage, chunks))
        .toList();
  }

  @Override
  public Folded run() {
    List<Part> parts = new ArrayList<>();
    for (int chunk = 0; chunk < chunks; chunk++) {
      Part part = part(workspace.partials(stage, chunk));
      if (!part.tensors().isEmpty()) {
        parts.add(part);
      }
    }
    if (parts.isEmpty()) {
      return new Folded(input, 0);
    }
    if (!place.equals(new Place(0, 0))) {
      write(StatisticsFiles.tile(input, grid, place), List.of(tile()), parts, List.of());
      return new Folded(input, 0);
    }
    // Moments hold nothing that has to be closed.
    InputStatistics sum =
        InputStatistics.fold(
            parts.stream()
                .map(part -> StoredStatistics.readMoments(input, part.tensors()))
                .toList());
    if (sum.width() != grid.width()) {
      throw new InputException(
          "The sums of %s have %d channels, the plan says %d. Calibrate again."
              .formatted(input, sum.width(), grid.width()));
    }
    List<TensorSpec> specs = new ArrayList<>(StoredStatistics.moments(input, grid.width()));
    if (grid.count() == 1) {
      specs.add(tile());
    } else {
      write(StatisticsFiles.tile(input, grid, place), List.of(tile()), parts, List.of());
    }
    write(StatisticsFiles.moments(input), specs, parts, List.of(sum));
    return new Folded(input, sum.tokens());
  }

  private TensorSpec tile() {
    return StoredStatistics.tile(input, grid, place);
  }

  /**
   * What one chunk has of the input, if anything.
   *
   * @param file the file of the chunk's sums
   */
  private record Part(Location file, Map<String, TensorSource> tensors) {}

  private Part part(Location file) {
    Map<String, TensorSource> tensors = TensorFiles.sources(store, file);
    tensors
        .keySet()
        .removeIf(
            name ->
                !StoredStatistics.belongsTo(input, name) && !name.equals(KeptInputs.counts(input)));
    return new Part(file, tensors);
  }

  /**
   * @param moments the one that the file's moments come from, or none
   */
  private void write(
      String file, List<TensorSpec> specs, List<Part> parts, List<InputStatistics> moments) {
    SafetensorsLayout layout = SafetensorsLayout.of(specs);
    try (SafetensorsWriter writer =
        new SafetensorsWriter(store.scratch(statistics.child(file)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        Consumer<ByteBuffer> pieces = piece -> writer.write(spec, piece);
        if (spec.equals(tile())) {
          addTiles(parts, pieces);
        } else {
          StoredStatistics.write(moments.get(0), spec, pieces);
        }
      }
      writer.finish();
    }
  }

  private void addTiles(List<Part> parts, Consumer<ByteBuffer> pieces) {
    if (parts.stream().anyMatch(part -> part.tensors().containsKey(KeptInputs.counts(input)))) {
      sumKept(parts, pieces);
    } else {
      addGrams(parts.stream().map(this::partialTile).toList(), pieces);
    }
  }

  private TensorSource partialTile(Part part) {
    TensorSource tile = part.tensors().get(tile().name());
    if (tile == null || !tile.spec().equals(tile())) {
      throw new InputException(
          "%s holds no %s, as its other files do. Calibrate again.".formatted(part.file(), tile()));
    }
    return tile;
  }

  /** Sums in F64, stored in F32. */
  private static void addGrams(List<TensorSource> grams, Consumer<ByteBuffer> pieces) {
    long elements = grams.get(0).spec().elements();
    double[] sums = new double[(int) Math.min(PIECE, elements)];
    float[] values = new float[sums.length];
    ByteBuffer bytes =
        ByteBuffer.allocate(sums.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long first = 0; first < elements; first += sums.length) {
      int count = (int) Math.min(sums.length, elements - first);
      Arrays.fill(sums, 0);
      for (TensorSource gram : grams) {
        gram.read(first * Float.BYTES, bytes.clear().limit(count * Float.BYTES));
        FloatCodec.decode(DType.F32, bytes.flip(), values, 0, count);
        for (int i = 0; i < count; i++) {
          sums[i] += values[i];
        }
      }
      for (int i = 0; i < count; i++) {
        values[i] = (float) sums[i];
      }
      FloatCodec.encode(DType.F32, values, 0, count, bytes.clear());
      pieces.accept(bytes.flip());
    }
  }

  private void sumKept(List<Part> parts, Consumer<ByteBuffer> pieces) {
    try (TileAccumulator sums = new TileAccumulator(input, grid, place)) {
      for (Part part : parts) {
        int slices = slices(part);
        for (int slice = 0; slice < slices; slice++) {
          observe(part, slice, sums);
        }
        sums.endChunk();
      }
      try (INDArray tile = sums.finish()) {
        StoredStatistics.writeTile(grid, place, tile, pieces);
      }
    }
  }

  private int slices(Part part) {
    TensorSource counts = part.tensors().get(KeptInputs.counts(input));
    return counts == null ? 0 : Math.toIntExact(counts.spec().elements());
  }

  private void observe(Part part, int slice, TileAccumulator sums) {
    List<TensorSource> strips =
        KeptInputs.strips(
            store, part.file(), input, slice, grid, List.of(place.row(), place.column()));
    try (INDArray left = Floats.load(strips.get(0))) {
      if (place.onDiagonal()) {
        sums.observe(left, left);
        return;
      }
      try (INDArray right = Floats.load(strips.get(1))) {
        sums.observe(left, right);
      }
    }
  }
}
