package io.shardpress.common.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Checkpoints that transformers saved. */
class ReferenceCheckpointsTest {

  @TestFactory
  List<DynamicTest> opens() throws IOException {
    String references = System.getenv("SHARDPRESS_REFERENCES");
    Assumptions.assumeTrue(references != null, "SHARDPRESS_REFERENCES is not set");
    try (Stream<Path> files = Files.walk(Path.of(references))) {
      return files
          .filter(file -> file.endsWith("config.json"))
          .map(Path::getParent)
          .filter(ReferenceCheckpointsTest::hasWeights)
          .sorted()
          .map(folder -> DynamicTest.dynamicTest(folder.toString(), () -> open(folder)))
          .toList();
    }
  }

  private static boolean hasWeights(Path folder) {
    return Files.exists(folder.resolve(Checkpoint.SINGLE))
        || Files.exists(folder.resolve(Checkpoint.INDEX));
  }

  private static void open(Path folder) {
    Checkpoint checkpoint =
        Checkpoint.open(HadoopStore.of(new Configuration(false)), Location.of(folder.toString()));

    assertThat(checkpoint.config().modelType()).isNotEmpty();
    assertThat(checkpoint.specs()).isNotEmpty();
    checkpoint
        .specs()
        .forEach((name, spec) -> assertThat(checkpoint.tensor(name).spec()).isEqualTo(spec));
  }
}
