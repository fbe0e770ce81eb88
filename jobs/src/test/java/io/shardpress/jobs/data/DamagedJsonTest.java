package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.error.InputException;
import io.shardpress.common.json.JsonMutator;
import io.shardpress.common.storage.InMemoryStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * {@code tokenizer.json} and {@code tokens.json}, damaged: they end in what they say or in one
 * typed error that names the file. Run with a heap of 256 MB; {@code -Ddocuments=…} for a long run.
 */
@Tag("small-heap")
class DamagedJsonTest {
  private static final int DOCUMENTS = Integer.getInteger("documents", 30_000);
  private static final long SEED = Long.getLong("seed", 20260301L);
  private static final Location MODEL = Location.of("mem://host/model");
  private static final Location TOKENIZER = MODEL.child("tokenizer.json");
  private static final Location TOKENS = MODEL.child("tokens.json");
  private static final String UNIGRAM =
      """
      {"version": "1.0", "truncation": null, "padding": null, "normalizer": {"type": "NFC"},
       "added_tokens": [{"id": 0, "content": "<unk>", "single_word": false, "lstrip": false,
         "rstrip": false, "normalized": false, "special": true}],
       "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\\\s+"}, "behavior": "Isolated",
         "invert": false},
       "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A",
         "type_id": 0}}], "pair": [], "special_tokens": {}},
       "decoder": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always"},
       "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.5],
         ["ab", -2.0]], "byte_fallback": false}}
      """;
  private static final String BPE =
      """
      {"version": "1.0", "added_tokens": [{"id": 3, "content": "<s>", "single_word": false,
         "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false,
         "trim_offsets": true, "use_regex": true},
       "model": {"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false,
         "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}}
      """;

  @Test
  void tokenizersGiveALargestIdOrARefusal() throws IOException {
    assertThat(Runtime.getRuntime().maxMemory()).as("-Xmx256m").isLessThanOrEqualTo(256L << 20);
    for (String document : List.of(words(), UNIGRAM, BPE)) {
      int accepted =
          accepted(
              DOCUMENTS,
              document,
              TOKENIZER,
              (store, json) -> TokenizerFile.read(store, MODEL, 100).largestId() < 100);
      assertThat(accepted).as("accepted, seed %d", SEED).isBetween(1, DOCUMENTS - 1);
    }
  }

  /** Fewer: each that is accepted is handed to native code. */
  @Test
  void whatTheNativeLibraryMakesOfATokenizerIsTyped() throws IOException {
    int documents = DOCUMENTS / 15;
    for (String document : List.of(words(), UNIGRAM, BPE)) {
      int accepted =
          accepted(
              documents,
              document,
              TOKENIZER,
              (store, json) -> {
                try (Tokenizer tokenizer = Tokenizer.open(store, MODEL, 100, Sha256.of(json))) {
                  for (String text : List.of("", "a ab\u0000 b", "w1 w2\n\n層é\uD83D\uDE00\uD800")) {
                    int[] ids = tokenizer.encode(text);
                    assertThat(IntStream.of(ids).allMatch(id -> id >= 0 && id < 100)).isTrue();
                  }
                  return true;
                }
              });
      assertThat(accepted).as("accepted, seed %d", SEED).isBetween(1, documents - 1);
    }
  }

  @Test
  void manifestsOfTokensAreWholeOrRefused() {
    TokenManifest manifest = manifest();
    String document = new String(manifest.toJson(), StandardCharsets.UTF_8);
    int accepted =
        accepted(
            DOCUMENTS,
            document,
            TOKENS,
            (store, json) -> {
              TokenManifest read = TokenManifest.parse(json, TOKENS);
              // What the digest covers cannot have changed; the rest may say other things.
              assertThat(read.digest()).isEqualTo(manifest.digest());
              assertThat(read.chunks()).hasSize(2);
              assertThat(read.sampleIds()).hasSize(5);
              return true;
            });
    assertThat(accepted).as("accepted, seed %d", SEED).isBetween(1, DOCUMENTS / 2);
  }

  private static int accepted(
      int documents,
      String document,
      Location file,
      BiFunction<InMemoryStore, byte[], Boolean> reading) {
    return IntStream.range(0, documents)
        .parallel()
        .map(i -> accepts(document, SEED + i, file, reading) ? 1 : 0)
        .sum();
  }

  private static boolean accepts(
      String document,
      long seed,
      Location file,
      BiFunction<InMemoryStore, byte[], Boolean> reading) {
    byte[] json = JsonMutator.mutated(document, seed);
    InMemoryStore store = new InMemoryStore();
    store.put(file, json);
    try {
      return reading.apply(store, json);
    } catch (InputException e) {
      if (!e.getMessage().contains(file.toString()) || e.getMessage().length() > 1_000) {
        throw new AssertionError("Seed " + seed + " is refused with: " + e.getMessage(), e);
      }
      return false;
    } catch (RuntimeException | Error e) {
      throw new AssertionError("Seed " + seed + " ended in " + e, e);
    }
  }

  private static TokenManifest manifest() {
    String hash = Sha256.of("x");
    return new TokenManifest(
        5,
        8,
        4,
        1,
        List.of(0, 3, 1, 7, 9),
        100,
        List.of(new TokenManifest.Source("file:///data/a.txt", hash)),
        hash,
        List.of(
            new TokenManifest.Chunk(0, 1000, hash, Sha256.of("ids 0")),
            new TokenManifest.Chunk(1, 500, hash, Sha256.of("ids 1"))));
  }

  private static String words() throws IOException {
    try (InputStream bytes = DamagedJsonTest.class.getResourceAsStream("words.json")) {
      return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
