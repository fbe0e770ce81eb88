package io.shardpress.operators.statistics;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Statistics as named tensors, so that a job can keep them in a safetensors file: {@code
 * <input>.gram_upper} F32 {@code [n·(n + 1)/2]}, the Gram's rows from the diagonal on, {@code
 * .max_abs} F32 {@code [n]}, {@code .sum_abs} and {@code .sum_squares} F64 {@code [n]}, {@code
 * .tokens} I64 {@code [1]}.
 */
public final class StoredStatistics {
  private static final String GRAM = ".gram_upper";
  private static final String MAX_ABS = ".max_abs";
  private static final String SUM_ABS = ".sum_abs";
  private static final String SUM_SQUARES = ".sum_squares";
  private static final String TOKENS = ".tokens";

  /** Bytes of a Gram that are read at a time, and held in memory beside it. */
  private static final long READ_BYTES = 16 << 20;

  /** Bytes of a Gram that are handed out at a time. */
  private static final int WRITE_BYTES = 1 << 20;

  private StoredStatistics() {}

  /** Names and shapes of the tensors that hold {@code statistics}. */
  public static List<TensorSpec> specs(InputStatistics statistics) {
    return specs(
        statistics.input(),
        statistics.width(),
        statistics.gram().isPresent() ? StatisticsNeed.GRAM : StatisticsNeed.MOMENTS);
  }

  private static List<TensorSpec> specs(String input, int width, StatisticsNeed need) {
    List<TensorSpec> specs = new ArrayList<>();
    if (need == StatisticsNeed.GRAM) {
      specs.add(TensorSpec.of(input + GRAM, DType.F32, width * (width + 1L) / 2));
    }
    specs.add(TensorSpec.of(input + MAX_ABS, DType.F32, width));
    specs.add(TensorSpec.of(input + SUM_ABS, DType.F64, width));
    specs.add(TensorSpec.of(input + SUM_SQUARES, DType.F64, width));
    specs.add(TensorSpec.of(input + TOKENS, DType.I64, 1));
    return specs;
  }

  /** Whether a tensor of this name holds statistics of {@code input}. */
  public static boolean belongsTo(String input, String tensor) {
    return tensor.startsWith(input)
        && Set.of(GRAM, MAX_ABS, SUM_ABS, SUM_SQUARES, TOKENS)
            .contains(tensor.substring(input.length()));
  }

  /** Whether a tensor is a Gram, whose elements may be added some at a time. */
  public static boolean isGram(TensorSpec tensor) {
    return tensor.name().endsWith(GRAM);
  }

  /** Hands out the bytes of one of the tensors of {@link #specs}, some at a time. */
  public static void write(
      InputStatistics statistics, TensorSpec tensor, Consumer<ByteBuffer> parts) {
    int n = statistics.width();
    String kind = tensor.name().substring(statistics.input().length());
    if (kind.equals(GRAM)) {
      writeGram(statistics.gram().orElseThrow(), parts);
      return;
    }
    ByteBuffer bytes = buffer(Math.toIntExact(tensor.bytes()));
    switch (kind) {
      case MAX_ABS -> FloatCodec.encode(DType.F32, statistics.maxAbs(), 0, n, bytes);
      case SUM_ABS -> put(bytes, statistics.sumAbs());
      case SUM_SQUARES -> put(bytes, statistics.sumSquares());
      case TOKENS -> bytes.putLong(statistics.tokens());
      default -> throw new IllegalArgumentException(kind);
    }
    parts.accept(bytes.flip());
  }

  /** As many rows at a time as fit a piece: each part that is handed out is a call to storage. */
  private static void writeGram(INDArray gram, Consumer<ByteBuffer> parts) {
    int n = Floats.columns(gram);
    float[] row = new float[n];
    long whole = (n + 1L) * n / 2 * Float.BYTES;
    ByteBuffer piece = buffer((int) Math.max((long) n * Float.BYTES, Math.min(WRITE_BYTES, whole)));
    for (int i = 0; i < n; i++) {
      if (piece.remaining() < (n - i) * Float.BYTES) {
        parts.accept(piece.flip());
        piece.clear();
      }
      Floats.readBlock(gram, i, 1, i, n - i, row);
      FloatCodec.encode(DType.F32, row, 0, n - i, piece);
    }
    parts.accept(piece.flip());
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads the statistics of {@code input} out of {@code tensors}, keyed by full name. Other tensors
   * may be there. The caller closes the result.
   *
   * @throws InputException when a tensor is missing or has another type or shape
   * @throws io.shardpress.common.error.NumericalException when a value is not finite
   */
  public static InputStatistics read(String input, Map<String, ? extends TensorSource> tensors) {
    InputStatistics moments = readMoments(input, tensors);
    Optional<INDArray> gram =
        Optional.ofNullable(tensors.get(input + GRAM))
            .map(tensor -> gram(input, tensor, moments.width()));
    return new InputStatistics(
        input, moments.tokens(), moments.sumAbs(), moments.sumSquares(), moments.maxAbs(), gram);
  }

  /** {@link #read} without the Gram, of which only type and shape are looked at. */
  public static InputStatistics readMoments(
      String input, Map<String, ? extends TensorSource> tensors) {
    int n = Math.toIntExact(require(input + MAX_ABS, tensors).spec().elements());
    StatisticsNeed kept =
        tensors.containsKey(input + GRAM) ? StatisticsNeed.GRAM : StatisticsNeed.MOMENTS;
    for (TensorSpec spec : specs(input, n, kept)) {
      TensorSpec found = require(spec.name(), tensors).spec();
      if (found.dtype() != spec.dtype() || !found.shape().equals(spec.shape())) {
        throw new InputException(
            "Stored statistics %s are %s %s, expected %s %s. Calibrate again."
                .formatted(spec.name(), found.dtype(), found.shape(), spec.dtype(), spec.shape()));
      }
    }
    float[] maxAbs = new float[n];
    FloatCodec.decode(DType.F32, bytes(tensors.get(input + MAX_ABS)), maxAbs, 0, n);
    double[] sumAbs = new double[n];
    bytes(tensors.get(input + SUM_ABS)).asDoubleBuffer().get(sumAbs);
    double[] sumSquares = new double[n];
    bytes(tensors.get(input + SUM_SQUARES)).asDoubleBuffer().get(sumSquares);
    long tokens = bytes(tensors.get(input + TOKENS)).getLong();
    return new InputStatistics(input, tokens, sumAbs, sumSquares, maxAbs, Optional.empty());
  }

  private static ByteBuffer bytes(TensorSource tensor) {
    ByteBuffer bytes = buffer(Math.toIntExact(tensor.spec().bytes()));
    tensor.read(0, bytes);
    return bytes.flip();
  }

  private static INDArray gram(String input, TensorSource tensor, int n) {
    INDArray gram = Floats.uninitialized(n, n);
    try {
      readGram(input, tensor, gram);
    } catch (RuntimeException | Error e) {
      gram.close();
      throw e;
    }
    Products.mirrorUpper(gram);
    return gram;
  }

  /** As many rows at a time as fit a piece: storage answers a few large reads soonest. */
  private static void readGram(String input, TensorSource tensor, INDArray gram) {
    int n = Floats.columns(gram);
    float[] row = new float[n];
    ByteBuffer piece =
        buffer((int) Math.max((long) n * Float.BYTES, Math.min(READ_BYTES, tensor.spec().bytes())));
    piece.limit(0);
    long next = 0;
    for (int i = 0; i < n; i++) {
      int count = n - i;
      if (piece.remaining() < count * Float.BYTES) {
        next -= piece.remaining();
        piece.clear().limit((int) Math.min(piece.capacity(), tensor.spec().bytes() - next));
        tensor.read(next, piece);
        next += piece.flip().remaining();
      }
      FloatCodec.decode(DType.F32, piece, row, 0, count);
      for (int j = 0; j < count; j++) {
        if (!Float.isFinite(row[j])) {
          throw InputStatistics.nonFinite(input, "Gram row " + i);
        }
      }
      Floats.writeBlock(gram, i, 1, i, count, row);
    }
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
