package io.shardpress.integration.benchmarks;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.integration.models.LlamaShape;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.Architectures;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.Precision;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** One Llama block forward over sequences of 512 tokens, on every core its own sequences. */
public class BlockBenchmark extends Measured {
  private static final int LENGTH = 512;
  private static final int TOKENS = 8 * LENGTH;

  @Param({"hidden=2048,ffn=5632,heads=16,kv-heads=4", "hidden=4096,ffn=11008,heads=32,kv-heads=8"})
  public String shape;

  @Param({"F32", "BF16"})
  public Precision precision;

  private final INDArray[] inputs = new INDArray[Cores.count()];
  private LlamaShape llama;
  private Architecture architecture;
  private MemoryWeights weights;

  @Override
  void prepare() {
    llama = LlamaShape.parse(shape);
    architecture =
        Architectures.of(
                new ModelConfig(llama.config()),
                llama.tensors().stream().map(TensorSpec::name).collect(Collectors.toSet()))
            .orElseThrow();
    weights = MemoryWeights.random(llama, precision);
    cores()
        .each(core -> inputs[core] = Matrices.normal(Precision.F32, TOKENS, llama.hidden(), core));
  }

  @Benchmark
  public void forward(Beside beside) {
    beside.of(this);
    cores().each(this::pass);
  }

  @Override
  void alone() {
    pass(0);
  }

  private void pass(int core) {
    architecture.block(0, inputs[core], LENGTH, weights, InputObserver.NONE);
  }

  @Override
  Precision precision() {
    return precision;
  }

  @Override
  Work work() {
    return workAlone().times(Cores.count());
  }

  @Override
  Work workAlone() {
    return Work.block(llama, TOKENS, LENGTH);
  }

  @Override
  void release() {
    Arrays.stream(inputs).forEach(INDArray::close);
  }
}
