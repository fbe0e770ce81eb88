package io.shardpress.common.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.HostileNames;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No name and no link leads out of a checkpoint's folder. */
class CheckpointPathTest {
  private static final TensorSpec A = TensorSpec.of("a", DType.F32, 1);

  @TempDir Path folder;

  private final Store local = HadoopStore.of(new Configuration(false));

  @ParameterizedTest
  @ValueSource(strings = {"/models/a", "file:///models/a", "s3a://bucket/a", "hdfs://host/a"})
  void hostileShardNamesAreRefusedBeforeAnythingIsOpened(String root) {
    for (String name : HostileNames.ALL) {
      String index =
          JsonNodeFactory.instance
              .objectNode()
              .set("weight_map", JsonNodeFactory.instance.objectNode().put("a", name))
              .toString();
      CheckpointBuilder builder =
          new CheckpointBuilder(root)
              .text("config.json", CheckpointBuilder.CONFIG)
              .text("model.safetensors.index.json", index);

      assertThatThrownBy(builder::open)
          .as(name)
          .isInstanceOfSatisfying(
              CheckpointFormatException.class,
              e -> assertThat(e.code()).isEqualTo(Code.UNSAFE_FILE_NAME));
      assertThat(builder.store().touched())
          .as(name)
          .containsOnly(
              builder.root(),
              builder.root().child("config.json"),
              builder.root().child("model.safetensors.index.json"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.safetensors", "config.json", "tokenizer.json"})
  void linksOutOfTheFolderAreNotFollowed(String name) throws IOException {
    Path model = model();
    Path outside = folder.resolve("outside");
    Files.deleteIfExists(outside);
    if (Files.exists(model.resolve(name))) {
      Files.move(model.resolve(name), outside);
    } else {
      Files.writeString(outside, "secret");
    }
    Files.createSymbolicLink(model.resolve(name), outside);

    assertThatThrownBy(() -> Checkpoint.open(local, Location.of(model.toString())).companionFiles())
        .isInstanceOfSatisfying(
            CheckpointFormatException.class,
            e -> assertThat(e.code()).isEqualTo(Code.UNSAFE_FILE_NAME))
        .hasMessageContaining(name + " is a link to ")
        .hasMessageContaining("cp -L");
  }

  @Test
  void linksWithinTheFolderAndToTheFolderAreFine() throws IOException {
    Path model = model();
    Files.move(model.resolve("model.safetensors"), model.resolve("data"));
    Files.createSymbolicLink(model.resolve("model.safetensors"), Path.of("data"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), model);

    assertThat(Checkpoint.open(local, Location.of(link.toString())).specs()).containsOnlyKeys("a");
  }

  private Path model() throws IOException {
    Path model = Files.createDirectories(folder.resolve("model"));
    Files.writeString(model.resolve("config.json"), CheckpointBuilder.CONFIG);
    Files.write(model.resolve("model.safetensors"), CheckpointBuilder.safetensors(A));
    return model;
  }
}
