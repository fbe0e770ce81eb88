package io.shardpress.jobs.calibrate;

import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.plan.WideInputs;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
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
import java.util.UUID;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Adds one tile of the Gram of one input over the chunks, in their order, and stores it; the task
 * of the first tile adds the moments too. Partial Grams are added some elements at a time, so that
 * memory holds neither all chunks' tiles nor one of them; where inputs were kept instead, the tile
 * is summed from those. Where no Gram is wanted, it adds the moments alone.
 *
 * @param files of the chunks' sums in {@code partials}, in chunk order
 * @param target folder of the result, a file of this attempt's own
 * @param need {@code GRAM}, or {@code MOMENTS} for the first tile's task without its tile
 * @param chunkTokens tokens of a chunk that is not the last
 */
record FoldTile(
    HadoopStore store,
    Location partials,
    List<String> files,
    Location target,
    String input,
    TileGrid grid,
    Place place,
    StatisticsNeed need,
    long chunkTokens)
    implements Work<FoldTile.Folded> {
  /** Elements of a Gram that are added at a time: 4 MiB of F32. */
  private static final int PIECE = 1 << 20;

  /** Tokens that pass through a block, and are kept, together. */
  private static final long SLICE = 4096;

  FoldTile {
    files = List.copyOf(files);
  }

  /**
   * @param tokens tokens that reached the input in all chunks
   * @param files what was written; none where no token did
   */
  record Folded(String input, int width, long tokens, List<PublishedFile> files)
      implements java.io.Serializable {
    Folded {
      files = List.copyOf(files);
    }
  }

  @Override
  public TaskMemory memory() {
    return need == StatisticsNeed.GRAM && WideInputs.areKept(grid.width(), chunkTokens)
        ? TaskMemory.of(
            TileAccumulator.nativeBytes(grid, Math.min(SLICE, chunkTokens), DType.F32), PIECE)
        : TaskMemory.NONE;
  }

  @Override
  public String subject() {
    return input;
  }

  @Override
  public Folded run() {
    List<Part> parts = new ArrayList<>();
    for (String file : files) {
      Part part = part(partials.child(file));
      if (!part.tensors().isEmpty()) {
        parts.add(part);
      }
    }
    if (parts.isEmpty()) {
      return new Folded(input, grid.width(), 0, List.of());
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
    List<TensorSpec> specs = new ArrayList<>();
    if (need == StatisticsNeed.GRAM) {
      specs.add(tile());
    }
    if (place.equals(new Place(0, 0))) {
      specs.addAll(StoredStatistics.moments(input, grid.width()));
    }
    return new Folded(input, grid.width(), sum.tokens(), List.of(write(specs, parts, sum)));
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

  private PublishedFile write(List<TensorSpec> specs, List<Part> parts, InputStatistics moments) {
    SafetensorsLayout layout = SafetensorsLayout.of(specs);
    Location file =
        target.child(
            "%s.%d.%d.%s.safetensors"
                .formatted(
                    SafeFileName.encode(input), place.row(), place.column(), UUID.randomUUID()));
    Sha256 hash = new Sha256();
    try (SafetensorsWriter writer = new SafetensorsWriter(hash.tee(store.replace(file)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        Consumer<ByteBuffer> pieces = piece -> writer.write(spec, piece);
        if (spec.equals(tile())) {
          addTiles(parts, pieces);
        } else {
          StoredStatistics.write(moments, spec, pieces);
        }
      }
      writer.finish();
    }
    return new PublishedFile(file.name(), layout.totalLength(), hash.hex());
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
