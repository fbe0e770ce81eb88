package io.shardpress.jobs.calibrate;

import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.plan.WideInputs;
import io.shardpress.jobs.storage.SafeNames;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.TileGrid;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@link WideInputs Wide inputs} of one chunk, kept as they are until the tiles of their Grams are
 * summed from them. Every slice of tokens that is observed becomes a file of strips, one tensor
 * {@code <input>.strip.<i>} {@code [tokens, columns]} of the input's type for each row of tiles;
 * {@code <input>.kept} in the file of the chunk's sums counts the tokens of the slices.
 */
final class KeptInputs {
  private static final int PIECE_BYTES = 1 << 20;

  private final Store store;
  private final Location sums;
  private final long chunkTokens;
  private final Map<String, List<Long>> tokensOfSlices = new LinkedHashMap<>();

  /**
   * @param sums the file of the chunk's sums, whose name no other attempt has
   * @param chunkTokens tokens of a chunk that is not the last
   */
  KeptInputs(Store store, Location sums, long chunkTokens) {
    this.store = store;
    this.sums = sums;
    this.chunkTokens = chunkTokens;
  }

  /** Whether inputs of this width are kept; the same for all chunks of a run. */
  boolean keeps(int width) {
    return WideInputs.areKept(width, chunkTokens);
  }

  /** Writes a slice of an input, F32 or BF16 {@code [tokens, width]}. */
  void add(String input, INDArray x) {
    if (Floats.rows(x) == 0) {
      return;
    }
    List<Long> slices = tokensOfSlices.computeIfAbsent(input, unused -> new ArrayList<>());
    TileGrid grid = TileGrid.of(Floats.columns(x));
    SafetensorsLayout layout =
        SafetensorsLayout.of(
            IntStream.range(0, grid.count()).mapToObj(i -> strip(input, grid, i, x)).toList());
    Location file = slice(sums, input, slices.size());
    try (SafetensorsWriter writer = new SafetensorsWriter(store.scratch(file), layout)) {
      for (TensorSpec spec : layout.specs()) {
        int index = Integer.parseInt(spec.name().substring(prefix(input).length()));
        write(x, grid.first(index), grid.size(index), spec, writer);
      }
      writer.finish();
    }
    slices.add((long) Floats.rows(x));
  }

  /** Several rows at a time: each piece is a call to storage. */
  private static void write(
      INDArray x, int from, int columns, TensorSpec spec, SafetensorsWriter writer) {
    int width = spec.dtype().bits() / Byte.SIZE;
    int bytes = columns * width;
    ByteBuffer piece = ByteBuffer.allocate(Math.max(1, PIECE_BYTES / bytes) * bytes);
    for (int row = 0; row < Floats.rows(x); row++) {
      if (!piece.hasRemaining()) {
        writer.write(spec, piece.flip());
        piece.clear();
      }
      piece.put(Floats.bytes(x, row, 1).slice(from * width, bytes));
    }
    writer.write(spec, piece.flip());
  }

  /** How many slices were kept of each input, to be stored with the chunk's sums. */
  List<RawTensor> counts() {
    return tokensOfSlices.entrySet().stream()
        .map(
            entry -> {
              List<Long> slices = entry.getValue();
              ByteBuffer bytes =
                  ByteBuffer.allocate(slices.size() * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
              slices.forEach(bytes::putLong);
              return new RawTensor(
                  TensorSpec.of(counts(entry.getKey()), DType.I64, slices.size()), bytes.flip());
            })
        .toList();
  }

  /** The name of the tensor that counts the slices of an input. */
  static String counts(String input) {
    return input + ".kept";
  }

  /**
   * Reads strips of one slice, in the order asked for.
   *
   * @param sums the file of the chunk's sums
   * @throws InputException when the slice or a strip is missing or has another width
   */
  static List<TensorSource> strips(
      Store store, Location sums, String input, int slice, TileGrid grid, List<Integer> indices) {
    Location file = slice(sums, input, slice);
    Map<String, TensorSource> tensors = TensorFiles.sources(store, file);
    return indices.stream()
        .map(
            index -> {
              TensorSource strip = tensors.get(prefix(input) + index);
              if (strip == null
                  || strip.spec().shape().size() != 2
                  || strip.spec().shape().get(1) != grid.size(index)) {
                throw new InputException(
                    "%s holds no strip %d of %s with %d channels. Calibrate again."
                        .formatted(file, index, input, grid.size(index)));
              }
              return strip;
            })
        .toList();
  }

  private static Location slice(Location sums, String input, int index) {
    String chunk = sums.name().replace(".safetensors", "");
    return sums.parent()
        .child(chunk)
        .child("%s.%04d.safetensors".formatted(SafeNames.of(input), index));
  }

  private static TensorSpec strip(String input, TileGrid grid, int index, INDArray x) {
    DType type = BFloats.isBf16(x) ? DType.BF16 : DType.F32;
    return TensorSpec.of(prefix(input) + index, type, Floats.rows(x), grid.size(index));
  }

  private static String prefix(String input) {
    return input + ".strip.";
  }
}
