package io.shardpress.integration.benchmarks;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.integration.models.LlamaShape;
import io.shardpress.integration.models.RandomLlama;
import io.shardpress.operators.compression.Clip;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.LayerResult;
import io.shardpress.operators.compression.Rtn;
import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.Precision;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Round-to-nearest on one core, from the bytes of a BF16 tensor to those of the packed ones. */
public class RtnBenchmark extends Measured {
  private static final int SIZE = 4096;

  @Param({"absmax", "mse"})
  public String clip;

  private final Encoder encoder = new CompressedTensors();
  private Rtn settings;
  private RawTensor stored;

  @Override
  void prepare() {
    Rtn base = Rtn.of(4, GroupSize.of(128));
    settings =
        new Rtn(
            base.bits(),
            base.symmetric(),
            base.groupSize(),
            Clip.parse(clip),
            base.activations(),
            base.nonfinite());
    stored =
        new RandomLlama(LlamaShape.benchmark(), 1)
            .tensor(TensorSpec.of("linear.weight", DType.BF16, SIZE, SIZE));
  }

  @Benchmark
  public List<RawTensor> layer(Beside beside) {
    beside.of(this);
    try (INDArray weight = Floats.load(stored)) {
      LayerResult result = settings.compress("linear", weight, DType.BF16, Optional.empty());
      return encoder.encode(
          new StoredLinear("linear", SIZE, SIZE, DType.BF16, Layout.OUT_IN), result.quantized());
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
