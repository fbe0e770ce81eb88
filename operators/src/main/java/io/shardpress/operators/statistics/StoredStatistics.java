package io.shardpress.operators.statistics;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Statistics as named tensors, so that a job can keep them in safetensors files: {@code
 * <input>.gram.<i>.<j>}, the tiles of the Gram's upper triangle that {@link TileGrid#of} cuts, F32
 * {@code [rows, columns]} above the diagonal and {@code [n·(n + 1)/2]} on it, which are the rows
 * from the diagonal on; {@code .max_abs} F32 {@code [n]}, {@code .sum_abs} and {@code .sum_squares}
 * F64 {@code [n]}, {@code .tokens} I64 {@code [1]}.
 */
public final class StoredStatistics {
  /** Larger Grams are left where they are stored, and read tile by tile. */
  private static final long MAX_BYTES_IN_MEMORY = 256 << 20;

  private static final Pattern GRAM = Pattern.compile("\\.gram\\.(\\d{1,6})\\.(\\d{1,6})");
  private static final String MAX_ABS = ".max_abs";
  private static final String SUM_ABS = ".sum_abs";
  private static final String SUM_SQUARES = ".sum_squares";
  private static final String TOKENS = ".tokens";

  private StoredStatistics() {}

  /** Names and shapes of the tensors that hold {@code statistics}. */
  public static List<TensorSpec> specs(InputStatistics statistics) {
    List<TensorSpec> specs = new ArrayList<>(moments(statistics.input(), statistics.width()));
    if (statistics.gram().isPresent()) {
      TileGrid grid = TileGrid.of(statistics.width());
      grid.places().forEach(place -> specs.add(tile(statistics.input(), grid, place)));
    }
    return specs;
  }

  /** Names and shapes of the tensors that hold everything but the Gram. */
  public static List<TensorSpec> moments(String input, int width) {
    return List.of(
        TensorSpec.of(input + MAX_ABS, DType.F32, width),
        TensorSpec.of(input + SUM_ABS, DType.F64, width),
        TensorSpec.of(input + SUM_SQUARES, DType.F64, width),
        TensorSpec.of(input + TOKENS, DType.I64, 1));
  }

  /** Name and shape of the tensor that holds one tile of the Gram. */
  public static TensorSpec tile(String input, TileGrid grid, Place place) {
    String name = "%s.gram.%d.%d".formatted(input, place.row(), place.column());
    return place.onDiagonal()
        ? TensorSpec.of(name, DType.F32, TileBytes.elements(grid, place))
        : TensorSpec.of(name, DType.F32, grid.size(place.row()), grid.size(place.column()));
  }

  /** Whether a tensor of this name holds statistics of {@code input}. */
  public static boolean belongsTo(String input, String tensor) {
    if (!tensor.startsWith(input)) {
      return false;
    }
    String kind = tensor.substring(input.length());
    return Set.of(MAX_ABS, SUM_ABS, SUM_SQUARES, TOKENS).contains(kind)
        || GRAM.matcher(kind).matches();
  }

  /** Whether a tensor is a tile of a Gram, whose elements may be added some at a time. */
  public static boolean isGram(TensorSpec tensor) {
    Matcher end = GRAM.matcher(tensor.name());
    return end.find() && end.hitEnd();
  }

  /**
   * Hands out the bytes of one of the tensors of {@link #specs}, some at a time. Of a Gram, which
   * must be in memory, only the upper triangle is read.
   */
  public static void write(
      InputStatistics statistics, TensorSpec tensor, Consumer<ByteBuffer> parts) {
    int n = statistics.width();
    String kind = tensor.name().substring(statistics.input().length());
    Matcher tile = GRAM.matcher(kind);
    if (tile.matches()) {
      Place place = new Place(Integer.parseInt(tile.group(1)), Integer.parseInt(tile.group(2)));
      TileGrid grid = TileGrid.of(n);
      INDArray gram = statistics.gram().flatMap(Gram::matrix).orElseThrow();
      TileBytes.write(
          grid, place, gram, grid.first(place.row()), grid.first(place.column()), parts);
      return;
    }
    ByteBuffer bytes = TileBytes.buffer(tensor.bytes());
    switch (kind) {
      case MAX_ABS -> FloatCodec.encode(DType.F32, statistics.maxAbs(), 0, n, bytes);
      case SUM_ABS -> put(bytes, statistics.sumAbs());
      case SUM_SQUARES -> put(bytes, statistics.sumSquares());
      case TOKENS -> bytes.putLong(statistics.tokens());
      default -> throw new IllegalArgumentException(kind);
    }
    parts.accept(bytes.flip());
  }

  /**
   * Hands out the bytes of the tensor of a tile that was computed by itself, some at a time.
   *
   * @param values F32 {@code [rows, columns]}, of which one on the diagonal is read above it
   */
  public static void writeTile(
      TileGrid grid, Place place, INDArray values, Consumer<ByteBuffer> parts) {
    TileBytes.write(grid, place, values, 0, 0, parts);
  }

  /**
   * Finds the statistics of {@code input} among {@code tensors}, keyed by full name, which may come
   * from several files; others may be there. A Gram that {@linkplain #isReadWhole is small} is read
   * here, a larger one when it is used: the sources have to stay readable for that. The caller
   * closes the result.
   *
   * @throws InputException when a tensor is missing or has another type or shape
   * @throws io.shardpress.common.error.NumericalException when a value is not finite
   */
  public static InputStatistics read(String input, Map<String, ? extends TensorSource> tensors) {
    InputStatistics moments = readMoments(input, tensors);
    Optional<Gram> gram =
        hasGram(input, tensors)
            ? Optional.of(gram(input, moments.width(), tensors))
            : Optional.empty();
    return new InputStatistics(
        input, moments.tokens(), moments.sumAbs(), moments.sumSquares(), moments.maxAbs(), gram);
  }

  private static boolean hasGram(String input, Map<String, ? extends TensorSource> tensors) {
    return tensors.values().stream()
        .map(TensorSource::spec)
        .anyMatch(spec -> isGram(spec) && belongsTo(input, spec.name()));
  }

  /** {@link #read} without the Gram, at which nobody looks. */
  public static InputStatistics readMoments(
      String input, Map<String, ? extends TensorSource> tensors) {
    int n = Math.toIntExact(require(input + MAX_ABS, tensors).spec().elements());
    moments(input, n).forEach(spec -> require(spec, tensors));
    float[] maxAbs = new float[n];
    FloatCodec.decode(DType.F32, bytes(tensors.get(input + MAX_ABS)), maxAbs, 0, n);
    double[] sumAbs = new double[n];
    bytes(tensors.get(input + SUM_ABS)).asDoubleBuffer().get(sumAbs);
    double[] sumSquares = new double[n];
    bytes(tensors.get(input + SUM_SQUARES)).asDoubleBuffer().get(sumSquares);
    long tokens = bytes(tensors.get(input + TOKENS)).getLong();
    return new InputStatistics(input, tokens, sumAbs, sumSquares, maxAbs, Optional.empty());
  }

  private static Gram gram(String input, int n, Map<String, ? extends TensorSource> tensors) {
    TileGrid grid = TileGrid.of(n);
    Map<Place, TensorSource> tiles = new HashMap<>();
    for (Place place : grid.places()) {
      tiles.put(place, require(tile(input, grid, place), tensors));
    }
    return isReadWhole(n) ? inMemory(input, grid, tiles) : new StoredGram(input, grid, tiles);
  }

  /** Whether {@link #read} puts a Gram of so many channels into memory. */
  public static boolean isReadWhole(long width) {
    return width * width * Float.BYTES <= MAX_BYTES_IN_MEMORY;
  }

  private static Gram inMemory(String input, TileGrid grid, Map<Place, TensorSource> tiles) {
    INDArray gram = Floats.uninitialized(grid.width(), grid.width());
    try {
      for (Place place : grid.places()) {
        int row = grid.first(place.row());
        int column = grid.first(place.column());
        TileBytes.read(input, grid, place, tiles.get(place), gram, row, column);
      }
    } catch (RuntimeException | Error e) {
      gram.close();
      throw e;
    }
    Products.mirrorUpper(gram);
    return Gram.of(gram);
  }

  private static ByteBuffer bytes(TensorSource tensor) {
    ByteBuffer bytes = TileBytes.buffer(tensor.spec().bytes());
    tensor.read(0, bytes);
    return bytes.flip();
  }

  private static TensorSource require(
      TensorSpec expected, Map<String, ? extends TensorSource> tensors) {
    TensorSource tensor = require(expected.name(), tensors);
    TensorSpec found = tensor.spec();
    if (found.dtype() != expected.dtype() || !found.shape().equals(expected.shape())) {
      throw new InputException(
          "Stored statistics %s are %s %s, expected %s %s. Calibrate again."
              .formatted(
                  expected.name(),
                  found.dtype(),
                  found.shape(),
                  expected.dtype(),
                  expected.shape()));
    }
    return tensor;
  }

  private static TensorSource require(String name, Map<String, ? extends TensorSource> tensors) {
    TensorSource tensor = tensors.get(name);
    if (tensor == null) {
      throw new InputException(
          "Stored statistics have no tensor %s: the store is incomplete. Calibrate again."
              .formatted(name));
    }
    return tensor;
  }

  private static void put(ByteBuffer bytes, double[] values) {
    for (double value : values) {
      bytes.putDouble(value);
    }
  }
}
