package io.shardpress.common.checkpoint;

import static io.shardpress.common.checkpoint.CheckpointBuilder.tensor;
import static io.shardpress.common.checkpoint.CheckpointBuilder.withConfig;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class CheckpointTest {
  private static final TensorSpec A = TensorSpec.of("a", DType.BF16, 2, 2);
  private static final TensorSpec B = TensorSpec.of("b", DType.F32, 3);
  private static final TensorSpec C = TensorSpec.of("c", DType.F32, 1);
  private static final String MAP =
      "\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\",\"c\":\"m-2.safetensors\"}";

  @Test
  void readsAModelOfOneFile() {
    Checkpoint checkpoint = withConfig().weights("model.safetensors", A, B).open();

    assertThat(checkpoint.config().modelType()).isEqualTo("llama");
    assertThat(checkpoint.files()).containsExactly("model.safetensors");
    assertThat(checkpoint.specs()).containsOnlyKeys("a", "b").containsEntry("a", A);
    assertThat(checkpoint.spec("b")).isEqualTo(B);
    assertThat(checkpoint.contains("c")).isFalse();
    assertThat(checkpoint.tensor("a")).isEqualTo(tensor(A));
    assertThat(checkpoint.rows("a", 1, 2).bytes())
        .isEqualTo(ByteBuffer.wrap(new byte[] {4, 5, 6, 7}));
    assertThat(checkpoint.gather("b", new long[] {2, 0}).bytes())
        .isEqualTo(ByteBuffer.wrap(new byte[] {8, 9, 10, 11, 0, 1, 2, 3}));
  }

  @Test
  void readsAModelOfShards() {
    Checkpoint checkpoint = sharded(20).open();

    assertThat(checkpoint.files()).containsExactly("m-1.safetensors", "m-2.safetensors");
    assertThat(checkpoint.specs().keySet()).containsExactly("a", "b", "c");
    for (TensorSpec spec : checkpoint.specs().values()) {
      assertThat(checkpoint.tensor(spec.name())).isEqualTo(tensor(spec));
    }
    assertThat(checkpoint.shardOf("b").location().name()).isEqualTo("m-2.safetensors");
  }

  @Test
  void aWrongTotalIsNoError() {
    assertThat(sharded(21).open().specs()).hasSize(3);
  }

  @Test
  void aTaskReadsOnlyTheShardItNeeds() {
    CheckpointBuilder builder = sharded(20);
    Checkpoint checkpoint = Checkpoint.reopen(builder.store(), builder.root());

    assertThat(checkpoint.tensor("a")).isEqualTo(tensor(A));
    assertThat(checkpoint.contains("b")).isTrue();
    assertThat(builder.store().touched()).extracting(Location::name).contains("m-1.safetensors");
    assertThat(builder.store().touched())
        .extracting(Location::name)
        .doesNotContain("m-2.safetensors");
  }

  @Test
  void namesAMissingTensor() {
    assertRefused(
        Code.MISSING_TENSOR,
        () -> withConfig().weights("model.safetensors", A).open().tensor("lm_head.weight"),
        "s3a://bucket/model has no tensor 'lm_head.weight'");
    assertRefused(Code.MISSING_TENSOR, () -> sharded(20).open().spec("x"), "'x'");
  }

  @Test
  void refusesTensorNamesThatCannotBePrinted() {
    for (String name :
        new String[] {"a\u001B[2Jb", "a\nb", "\u202Eb", "b\u0000", "n".repeat(201)}) {
      TensorSpec spec = TensorSpec.of(name, DType.F32, 1);
      assertRefused(
          Code.UNSAFE_TENSOR_NAME,
          () -> withConfig().weights("model.safetensors", spec).open(),
          "is refused");
    }
    TensorSpec slashes = TensorSpec.of("../bert/层/kernel", DType.F32, 1);
    assertThat(withConfig().weights("model.safetensors", slashes).open().specs()).hasSize(1);
  }

  @Test
  void saysWhatIsMissingFromTheFolder() {
    assertThatThrownBy(() -> new CheckpointBuilder("s3a://bucket/absent").open())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no checkpoint in s3a://bucket/absent");
    assertThatThrownBy(
            () -> new CheckpointBuilder("s3a://bucket/m").weights("model.safetensors", A).open())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has no config.json");
    assertThatThrownBy(() -> withConfig().open())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("neither model.safetensors nor model.safetensors.index.json");
    CheckpointBuilder file = withConfig();
    assertThatThrownBy(() -> Checkpoint.open(file.store(), file.root().child("config.json")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is a file, not a folder");
  }

  @Test
  void refusesOtherWeightsByName() {
    for (String name :
        new String[] {
          "pytorch_model.bin",
          "model.pt",
          "model.PTH",
          "last.ckpt",
          "tf_model.h5",
          "flax_model.msgpack",
          "model.gguf",
          "weights.pkl"
        }) {
      assertRefused(
          Code.REFUSED_FILE_TYPE,
          () -> withConfig().text(name, "never read").open(),
          "holds weights only as " + name);
    }
  }

  @Test
  void indexAndShardsMustAgree() {
    String index = "model.safetensors.index.json";
    assertRefused(
        Code.INVALID_INDEX,
        () -> withConfig().text(index, "{" + MAP + "}").weights("m-1.safetensors", A).open(),
        "the shard m-2.safetensors is not there");
    assertRefused(
        Code.INVALID_INDEX,
        () -> shards("{" + MAP + "}", new TensorSpec[] {A}, new TensorSpec[] {B}).open(),
        "tensor 'c' should lie in m-2.safetensors");
    assertRefused(
        Code.INVALID_INDEX,
        () -> shards("{" + MAP + "}", new TensorSpec[] {A, B}, new TensorSpec[] {B, C}).open(),
        "tensor 'b' lies in m-1.safetensors, but the index says m-2.safetensors");
    TensorSpec extra = TensorSpec.of("extra", DType.U8, 1);
    assertRefused(
        Code.INVALID_INDEX,
        () -> shards("{" + MAP + "}", new TensorSpec[] {A, extra}, new TensorSpec[] {B, C}).open(),
        "tensor 'extra' lies in m-1.safetensors, but the index does not name it");
    assertRefused(
        Code.INVALID_INDEX,
        () -> sharded(20).weights("model.safetensors", A).open(),
        "holds both model.safetensors and an index");
  }

  @Test
  void aDamagedShardIsFoundOnOpening() {
    assertRefused(
        Code.HEADER_TOO_SMALL,
        () -> withConfig().text("model.safetensors", "x").open(),
        "model.safetensors has 1 bytes");
  }

  @Test
  void aDuplicateKeyInTheConfigurationIsAnError() {
    assertThatThrownBy(
            () ->
                withConfig()
                    .text("config.json", "{\"a\":1,\"a\":2}")
                    .weights("model.safetensors", A)
                    .open())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("s3a://bucket/model/config.json")
        .hasMessageContaining("Duplicate");
  }

  @Test
  void tellsCompanionsFromFilesThatStay() {
    CheckpointBuilder builder = withConfig().weights("model.safetensors", A);
    for (String name :
        new String[] {
          "generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json",
          "merges.txt", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
          "spiece.model", "preprocessor_config.json", "LICENSE.txt", "README.md",
          "pytorch_model.bin", "modeling_x.py", "tokenizer.pkl", "tokenization_x.py",
          "adapter.safetensors", "notes.txt", "training_args.json"
        }) {
      builder.text(name, "7");
    }
    builder.store().put(builder.root().child("original").child("tokenizer.model"), new byte[1]);
    Checkpoint checkpoint = builder.open();

    assertThat(checkpoint.companionFiles())
        .extracting(Location::name)
        .containsExactlyInAnyOrder(
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.json",
            "merges.txt",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "spiece.model",
            "preprocessor_config.json",
            "LICENSE.txt",
            "README.md");
    assertThat(checkpoint.refusedFiles())
        .containsExactlyInAnyOrder(
            "pytorch_model.bin", "modeling_x.py", "tokenizer.pkl", "tokenization_x.py");
  }

  private static CheckpointBuilder sharded(long total) {
    return shards(
        "{\"metadata\":{\"total_size\":" + total + "}," + MAP + "}",
        new TensorSpec[] {A},
        new TensorSpec[] {B, C});
  }

  private static CheckpointBuilder shards(String index, TensorSpec[] first, TensorSpec[] second) {
    return withConfig()
        .text("model.safetensors.index.json", index)
        .weights("m-1.safetensors", first)
        .weights("m-2.safetensors", second);
  }

  private static void assertRefused(Code code, Runnable call, String message) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            CheckpointFormatException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(message);
  }
}
