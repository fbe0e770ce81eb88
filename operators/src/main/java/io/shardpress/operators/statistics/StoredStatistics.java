package io.shardpress.operators.statistics;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
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

  private StoredStatistics() {}

  /** Names and shapes that {@link #write} gives for an input of {@code width} channels. */
  public static List<TensorSpec> specs(String input, int width, StatisticsNeed need) {
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

  /** Copies {@code statistics} into heap buffers, in the order of {@link #specs}. */
  public static List<RawTensor> write(InputStatistics statistics) {
    StatisticsNeed kept =
        statistics.gram().isPresent() ? StatisticsNeed.GRAM : StatisticsNeed.MOMENTS;
    List<RawTensor> tensors = new ArrayList<>();
    for (TensorSpec spec : specs(statistics.input(), statistics.width(), kept)) {
      if (spec.bytes() > Integer.MAX_VALUE) {
        throw new InputException(
            "The Gram of %s with %d channels takes %d bytes, more than the 2 GiB of one tensor in memory. Leave the linears that read this input to a data-free method."
                .formatted(statistics.input(), statistics.width(), spec.bytes()));
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) spec.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      fill(bytes, spec.name().substring(statistics.input().length()), statistics);
      tensors.add(new RawTensor(spec, bytes.flip()));
    }
    return tensors;
  }

  private static void fill(ByteBuffer bytes, String kind, InputStatistics statistics) {
    int n = statistics.width();
    switch (kind) {
      case GRAM -> {
        float[] row = new float[n];
        for (int i = 0; i < n; i++) {
          Floats.readRow(statistics.gram().orElseThrow(), i, row);
          FloatCodec.encode(DType.F32, row, i, n - i, bytes);
        }
      }
      case MAX_ABS -> FloatCodec.encode(DType.F32, statistics.maxAbs(), 0, n, bytes);
      case SUM_ABS -> put(bytes, statistics.sumAbs());
      case SUM_SQUARES -> put(bytes, statistics.sumSquares());
      case TOKENS -> bytes.putLong(statistics.tokens());
      default -> throw new IllegalArgumentException(kind);
    }
  }

  /**
   * Reads the statistics of {@code input} out of {@code tensors}, keyed by full name. Other tensors
   * may be there. The caller closes the result.
   *
   * @throws InputException when a tensor is missing or has another type or shape
   * @throws io.shardpress.common.error.NumericalException when a value is not finite
   */
  public static InputStatistics read(String input, Map<String, RawTensor> tensors) {
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
    FloatCodec.decode(DType.F32, tensors.get(input + MAX_ABS).data(), maxAbs, 0, n);
    double[] sumAbs = new double[n];
    tensors.get(input + SUM_ABS).data().asDoubleBuffer().get(sumAbs);
    double[] sumSquares = new double[n];
    tensors.get(input + SUM_SQUARES).data().asDoubleBuffer().get(sumSquares);
    long tokens = tensors.get(input + TOKENS).data().getLong();
    Optional<INDArray> gram =
        Optional.ofNullable(tensors.get(input + GRAM)).map(tensor -> gram(input, tensor, n));
    return new InputStatistics(input, tokens, sumAbs, sumSquares, maxAbs, gram);
  }

  private static INDArray gram(String input, RawTensor tensor, int n) {
    INDArray gram = Floats.uninitialized(n, n);
    ByteBuffer data = tensor.data();
    float[] row = new float[n];
    for (int i = 0; i < n; i++) {
      FloatCodec.decode(DType.F32, data, row, i, n - i);
      for (int j = i; j < n; j++) {
        if (!Float.isFinite(row[j])) {
          gram.close();
          throw InputStatistics.nonFinite(input, "Gram row " + i);
        }
      }
      Floats.writeRow(gram, i, row);
    }
    Products.mirrorUpper(gram);
    return gram;
  }

  private static RawTensor require(String name, Map<String, RawTensor> tensors) {
    RawTensor tensor = tensors.get(name);
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
