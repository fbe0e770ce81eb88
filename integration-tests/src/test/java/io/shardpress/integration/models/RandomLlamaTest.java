package io.shardpress.integration.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.Architectures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class RandomLlamaTest {
  private static final LlamaShape SMALL = new LlamaShape(64, 96, 2, 512, 4, 2, 16);
  private final Store store = HadoopStore.of(new Configuration());

  @TempDir Path folder;

  @Test
  void isACheckpointOfTheShapeAskedFor() {
    Checkpoint checkpoint = write("a", 7);

    assertThat(checkpoint.specs().values()).containsExactlyInAnyOrderElementsOf(SMALL.tensors());
    assertThat(checkpoint.files()).hasSize(3);
    Architecture architecture =
        Architectures.of(checkpoint.config(), checkpoint.names()).orElseThrow();
    assertThat(architecture.blocks()).isEqualTo(2);
    assertThat(architecture.linears()).hasSize(2 * 7 + 1);
  }

  @Test
  void isTheSameForTheSameSeedAndAnotherForAnother() {
    Checkpoint one = write("one", 7);
    Checkpoint again = write("again", 7);
    Checkpoint other = write("other", 8);

    for (TensorSpec spec : SMALL.tensors()) {
      assertThat(again.tensor(spec.name())).as(spec.name()).isEqualTo(one.tensor(spec.name()));
      assertThat(new RandomLlama(SMALL, 7).tensor(spec)).isEqualTo(one.tensor(spec.name()));
      if (spec.shape().size() == 2) {
        assertThat(other.tensor(spec.name())).isNotEqualTo(one.tensor(spec.name()));
      }
    }
    assertThat(one.tensor("lm_head.weight").bytes())
        .isNotEqualTo(one.tensor("model.embed_tokens.weight").bytes());
  }

  @Test
  void weightsAreNormalAndNormsAreOne() {
    Checkpoint checkpoint = write("a", 7);

    float[] norm = values(checkpoint.tensor("model.layers.1.input_layernorm.weight"));
    float[] weights = values(checkpoint.tensor("model.embed_tokens.weight"));
    assertThat(norm).containsOnly(1);
    assertThat(moment(weights, 1)).isCloseTo(0, within(5e-4));
    assertThat(moment(weights, 2)).isCloseTo(4e-4, within(1e-5));
    assertThat(moment(weights, 4)).isCloseTo(3 * 1.6e-7, within(2.5e-8));
  }

  @Test
  void writesSequencesOfTokensInsideTheVocabulary() throws IOException {
    Location file = Location.of(folder.toString()).child("tokens.jsonl");
    new RandomLlama(SMALL, 7).writeTokens(store, file, 3, 5);

    List<String> lines = Files.readAllLines(folder.resolve("tokens.jsonl"));
    assertThat(lines).hasSize(3).doesNotHaveDuplicates();
    assertThat(lines).allMatch(line -> line.matches("\\{\"input_ids\":\\[(\\d+,){4}\\d+]}"));
    assertThat(lines)
        .flatMap(line -> List.of(line.replaceAll("[^0-9,]", "").split(",", -1)))
        .allMatch(id -> Integer.parseInt(id) < 512);
  }

  @Test
  void saysWhereTheModelIsToGo() {
    assertThatThrownBy(() -> RandomLlama.main(new String[] {"${to}", ""}))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("-Dto=");
  }

  private Checkpoint write(String name, long seed) {
    Location location = Location.of(folder.resolve(name).toString());
    new RandomLlama(SMALL, seed).write(store, location);
    return Checkpoint.open(store, location);
  }

  private static float[] values(RawTensor tensor) {
    try (INDArray array = Floats.decode(tensor)) {
      return Floats.toArray(array);
    }
  }

  private static double moment(float[] values, int power) {
    double sum = 0;
    for (float value : values) {
      sum += Math.pow(value, power);
    }
    return sum / values.length;
  }
}
