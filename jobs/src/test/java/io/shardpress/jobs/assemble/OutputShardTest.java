package io.shardpress.jobs.assemble;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class OutputShardTest {
  private static final Location FILE = Location.of("/source/model.safetensors");

  @Test
  void isOneFileWhenAllFits() {
    List<OutputShard> shards = OutputShard.plan(tensors(10, 20, 70), 100);

    assertThat(shards).extracting(OutputShard::fileName).containsExactly("model.safetensors");
    assertThat(shards.get(0).bytes()).isEqualTo(100);
  }

  @Test
  void startsANewFileWhenATensorDoesNotFit() {
    assertThat(sizes(OutputShard.plan(tensors(60, 41, 30, 29, 1), 100)))
        .containsExactly(List.of(60L), List.of(41L, 30L, 29L), List.of(1L));
  }

  @Test
  void numbersSeveralFiles() {
    assertThat(OutputShard.plan(tensors(60, 60, 60), 100))
        .extracting(OutputShard::fileName)
        .containsExactly(
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors");
  }

  @Test
  void givesALargeTensorAFileOfItsOwn() {
    assertThat(sizes(OutputShard.plan(tensors(10, 500, 10, 0, 20), 100)))
        .containsExactly(List.of(10L), List.of(500L), List.of(10L, 0L, 20L));
  }

  @Test
  void isNothingWhenThereIsNothing() {
    assertThat(OutputShard.plan(List.of(), 100)).isEmpty();
  }

  private static List<List<Long>> sizes(List<OutputShard> shards) {
    return shards.stream()
        .map(shard -> shard.tensors().stream().map(tensor -> tensor.spec().bytes()).toList())
        .toList();
  }

  private static List<OutputTensor> tensors(int... bytes) {
    return IntStream.range(0, bytes.length)
        .mapToObj(i -> OutputTensor.whole(TensorSpec.of("t" + i, DType.I8, bytes[i]), FILE))
        .toList();
  }
}
