package io.shardpress.integration.benchmarks;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.integration.models.LlamaShape;
import io.shardpress.integration.models.RandomLlama;
import io.shardpress.operators.compression.LayerResult;
import io.shardpress.operators.compression.Magnitude;
import io.shardpress.operators.compression.Pattern;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.compression.Wanda;
import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * Methods without an update, from the stored bytes to the bytes to store: BF16 4096 x 4096, on one
 * core. Wanda with moments alone.
 */
public class PruneBenchmark extends Measured {
  private static final int SIZE = 4096;

  @Param({"magnitude 0.5", "magnitude 2:4", "wanda 0.5", "wanda 2:4"})
  public String method;

  private final Encoder encoder = new CompressedTensors();
  private Settings settings;
  private Optional<InputStatistics> statistics;
  private RawTensor stored;

  @Override
  void prepare() {
    String[] words = method.split(" ", -1);
    boolean pattern = words[1].contains(":");
    if (words[0].equals("wanda")) {
      settings =
          pattern ? Wanda.of(Pattern.parse(words[1])) : Wanda.of(Double.parseDouble(words[1]));
      statistics = Optional.of(moments());
    } else {
      settings =
          pattern
              ? Magnitude.of(Pattern.parse(words[1]))
              : Magnitude.of(Double.parseDouble(words[1]));
      statistics = Optional.empty();
    }
    stored =
        new RandomLlama(LlamaShape.benchmark(), 1)
            .tensor(TensorSpec.of("linear.weight", DType.BF16, SIZE, SIZE));
  }

  private static InputStatistics moments() {
    double[] squares = new double[SIZE];
    float[] largest = new float[SIZE];
    for (int j = 0; j < SIZE; j++) {
      squares[j] = 1 + j % 7;
      largest[j] = 3;
    }
    double[] magnitudes = new double[SIZE];
    Arrays.fill(magnitudes, 1);
    return new InputStatistics("benchmark", 1000, magnitudes, squares, largest, Optional.empty());
  }

  @Benchmark
  public List<RawTensor> layer(Beside beside) {
    beside.of(this);
    try (INDArray weight = Floats.load(stored)) {
      LayerResult result = settings.compress("linear", weight, DType.BF16, statistics);
      return encoder.encode(
          new StoredLinear("linear", SIZE, SIZE, DType.BF16, Layout.OUT_IN),
          result.weight().orElseThrow());
    }
  }

  @Override
  Precision precision() {
    return Precision.F32;
  }

  @Override
  Work work() {
    return Work.bytes((double) stored.spec().bytes());
  }

  @Override
  void release() {
    // nothing off the heap but the tensor's bytes
  }
}
