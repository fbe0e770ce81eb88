package io.shardpress.common.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.checkpoint.ShardIndex;
import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.SafeFileName;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Damaged JSON files end in what they say or in one typed error that names the file. Run with a
 * heap of 256 MB; {@code -Ddocuments=…} for a long run, {@code -Dseed=…} for another one.
 */
@Tag("small-heap")
class JsonMutationTest {
  private static final int DOCUMENTS = Integer.getInteger("documents", 30_000);
  private static final long SEED = Long.getLong("seed", 20260201L);

  /** The files that a checkpoint has, small. */
  enum Kind {
    CONFIG(
        "config.json",
        """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64,
         "num_hidden_layers": 2, "rms_norm_eps": 1e-05, "tie_word_embeddings": false,
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0},
         "torch_dtype": "bfloat16", "sliding_window": null, "layer_types": ["full", "sliding"],
         "mlp_only_layers": [0, 1], "bos_token_id": 1, "rope_theta": 500000}
        """),
    INDEX(
        "model.safetensors.index.json",
        """
        {"metadata": {"total_size": 30, "total_parameters": 15},
         "weight_map": {"model.embed_tokens.weight": "model-00001-of-00002.safetensors",
                        "model.norm.weight": "model-00002-of-00002.safetensors",
                        "lm_head.weight": "model-00002-of-00002.safetensors"}}
        """),
    TOKENIZER_CONFIG(
        "tokenizer_config.json",
        """
        {"add_bos_token": true, "added_tokens_decoder": {"0": {"content": "<unk>", "special": true},
         "1": {"content": "<s>", "lstrip": false}}, "bos_token": "<s>", "clean_up": false,
         "model_max_length": 1000000000000000019884624838656, "chat_template": "{% for m in ms %}\\n"}
        """),
    GENERATION_CONFIG(
        "generation_config.json",
        """
        {"bos_token_id": 1, "eos_token_id": [2, 3], "temperature": 0.6, "do_sample": true,
         "transformers_version": "4.46.0"}
        """);

    final String file;
    final String document;

    Kind(String file, String document) {
      this.file = file;
      this.document = document;
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void readersAgreeOnWhatIsJson(Kind kind) {
    assertThat(Runtime.getRuntime().maxMemory()).as("-Xmx256m").isLessThanOrEqualTo(256L << 20);
    int[] accepted =
        documents(
            kind.document,
            (seed, json) -> {
              boolean plain = isPlainJson(json);
              boolean parsed = accepts(seed, kind.file, () -> StrictJson.parse(kind.file, json));
              boolean checked = accepts(seed, kind.file, () -> StrictJson.check(kind.file, json));
              require(parsed == plain, seed, "parse says " + parsed + ", plainly " + plain);
              require(
                  checked == (plain && isAlikeToAll(json)),
                  seed,
                  "check says " + checked + ", plainly " + plain);
              return plain;
            });
    System.out.printf("%s: %d of %d are JSON, seed %d%n", kind, accepted[0], DOCUMENTS, SEED);
    assertThat(accepted[0]).isBetween(DOCUMENTS / 20, DOCUMENTS * 19 / 20);
  }

  @Test
  void aConfigurationIsReadByTypeOrRefused() {
    int[] accepted =
        documents(
            Kind.CONFIG.document,
            (seed, json) ->
                accepts(
                    seed,
                    "config.json",
                    () -> readEverything(seed, ModelConfig.parse("config.json", json))));
    assertThat(accepted[0]).as("accepted, seed %d", SEED).isPositive();
  }

  /** Every key as every type: what it is not is refused. */
  private static void readEverything(long seed, ModelConfig config) {
    for (Map.Entry<String, JsonNode> entry : config.json().properties()) {
      String key = entry.getKey();
      List<Runnable> readings =
          List.of(
              () -> config.optionalText(key),
              () -> config.optionalInteger(key),
              () -> require(Double.isFinite(config.number(key, 0)), seed, key + " is not finite"),
              () -> config.flag(key, false),
              () -> config.texts(key),
              () -> config.integers(key),
              () ->
                  require(
                      config.numbers(key).stream().allMatch(Double::isFinite),
                      seed,
                      key + " is not finite"),
              () -> config.child(key));
      long fits = readings.stream().filter(read -> accepts(seed, "config.json", read)).count();
      require(fits < 4 || entry.getValue().isNull() || entry.getValue().isEmpty(), seed, key);
    }
    config.weightType();
    config.ropeTheta();
  }

  @Test
  void anIndexNamesSafeFilesOrIsRefused() {
    Kind kind = Kind.INDEX;
    int[] accepted =
        documents(
            kind.document,
            (seed, json) ->
                accepts(
                    seed,
                    kind.file,
                    () -> {
                      try {
                        ShardIndex index = ShardIndex.parse(kind.file, json);
                        require(!index.weightMap().isEmpty(), seed, "is accepted empty");
                        for (String file : index.files()) {
                          require(
                              SafeFileName.isSafe(file) && file.endsWith(".safetensors"),
                              seed,
                              "names " + file);
                        }
                        require(isPlainJson(json), seed, "is accepted, but no JSON");
                      } catch (InputException e) {
                        require(e instanceof CheckpointFormatException, seed, "ends in " + e);
                        throw e;
                      }
                    }));
    assertThat(accepted[0]).as("accepted, seed %d", SEED).isPositive();
  }

  /** Whether a document is accepted. */
  private interface Check {
    boolean accepts(long seed, byte[] json);
  }

  private static int[] documents(String document, Check check) {
    int accepted =
        IntStream.range(0, DOCUMENTS)
            .parallel()
            .map(i -> check.accepts(SEED + i, JsonMutator.mutated(document, SEED + i)) ? 1 : 0)
            .sum();
    return new int[] {accepted};
  }

  /** Whether the reading succeeds; it may fail in one way only. */
  private static boolean accepts(long seed, String file, Runnable reading) {
    try {
      reading.run();
      return true;
    } catch (InputException e) {
      require(e.getMessage().startsWith(file), seed, "does not name the file: " + e.getMessage());
      require(e.getMessage().length() < 1_000, seed, "has a long message: " + e.getMessage());
      return false;
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError("Seed " + seed + " ended in " + e, e);
    }
  }

  private static boolean isPlainJson(byte[] json) {
    try {
      PlainJson.parse(json);
      return true;
    } catch (PlainJson.Refused e) {
      return false;
    }
  }

  /** No infinite number, no half of a surrogate pair. */
  private static boolean isAlikeToAll(byte[] json) {
    try {
      return isAlikeToAll(PlainJson.parse(json));
    } catch (PlainJson.Refused e) {
      return false;
    }
  }

  private static boolean isAlikeToAll(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map.keySet().stream().allMatch(JsonMutationTest::isAlikeToAll)
          && map.values().stream().allMatch(JsonMutationTest::isAlikeToAll);
    }
    if (value instanceof List<?> list) {
      return list.stream().allMatch(JsonMutationTest::isAlikeToAll);
    }
    if (value instanceof Number number) {
      return Double.isFinite(number.doubleValue());
    }
    return !(value instanceof String text) || StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  private static void require(boolean holds, long seed, String what) {
    if (!holds) {
      throw new AssertionError("The document of seed " + seed + " " + what);
    }
  }
}
