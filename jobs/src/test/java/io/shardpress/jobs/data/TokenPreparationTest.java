package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.fixture.SparkTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SparkTest
class TokenPreparationTest {
  @TempDir Path folder;

  private final Store store = Given.store();
  private Path data;
  private ModelTokens model;

  @BeforeEach
  void dataAndTokenizer() throws IOException {
    data = Files.createDirectories(folder.resolve("data"));
    model = Given.words(Given.tokenizer("words.json", folder.resolve("model")));
  }

  @Test
  void aTextBecomesWindowsThatStartWithBos(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    TokenChunks tokens = prepare(spark, Given.settings(file, 4, 2));
    assertThat(tokens.sequences()).isEqualTo(3);
    assertThat(tokens.chunks()).isEqualTo(2);
    assertThat(tokens.sequences(0)).isEqualTo(2);
    assertThat(tokens.sequences(1)).isEqualTo(1);
    assertThat(tokens.readChunk(0)).containsExactly(1, 2, 3, 4, 1, 5, 6, 7);
    assertThat(tokens.readChunk(1)).containsExactly(1, 8, 9, 10);
    assertThat(tokens.tokens()).isEqualTo(12);
    assertThat(tokens.scoredTokens()).isEqualTo(9);
    assertThat(tokens.manifest().dataTokens()).isEqualTo(11);
    assertThat(tokens.manifest().sampleIds()).containsExactly(0, 1, 2);
  }

  @Test
  void withoutBosWindowsAreFullOfText(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(9));
    DataSettings never = with(Given.settings(file, 4, 2), DataSettings.Bos.NEVER);
    assertThat(prepare(spark, never).readChunk(0)).containsExactly(2, 3, 4, 5, 6, 7, 8, 9);
  }

  @Test
  void aModelWithoutBosGetsNone(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(9));
    model = new ModelTokens(model.checkpoint(), Given.WORDS, 64, OptionalInt.empty());
    assertThat(prepare(spark, Given.settings(file, 4, 2)).readChunk(0))
        .containsExactly(2, 3, 4, 5, 6, 7, 8, 9);
    assertThatThrownBy(
            () -> prepare(spark, with(Given.settings(file, 4, 2), DataSettings.Bos.ALWAYS)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("bos = always, but the config of")
        .hasMessageContaining("has no bos_token_id");
  }

  @Test
  void readyIdsAreUsedAsTheyAreWithoutTokenizer(SparkSession spark) throws IOException {
    Path file =
        Files.writeString(
            data.resolve("a.jsonl"),
            "{\"input_ids\": [5, 6, 7]}\n{\"input_ids\": [8, 9, 10, 11]}\n");
    model = new ModelTokens(Given.at(folder), Given.WORDS, 64, OptionalInt.of(Given.BOS));
    TokenChunks tokens = prepare(spark, Given.settings(file, 3, 2));
    assertThat(tokens.readChunk(0)).containsExactly(5, 6, 7, 8, 9, 10);
    assertThat(tokens.manifest().bos()).isEqualTo(-1);
  }

  @Test
  void textsOfSeveralFilesFollowEachOther(SparkSession spark) throws IOException {
    Files.writeString(data.resolve("b.jsonl"), "{\"text\": \"w4\"}\n{\"text\": \"w5 w6\"}\n");
    Files.writeString(data.resolve("a.txt"), "w0 w1 w2 w3");
    Files.writeString(data.resolve("c.txt"), "");
    TokenChunks tokens = prepare(spark, Given.settings(data, 8, 1));
    assertThat(tokens.readChunk(0)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
  }

  @Test
  void theSampleDecidesWhichWindowsAreTaken(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(30));
    TokenChunks tokens = prepare(spark, sample(Given.settings(file, 4, 8), 3, Sample.SPREAD, 0));
    assertThat(tokens.manifest().sampleIds()).containsExactly(0, 3, 6);
    assertThat(tokens.readChunk(0)).containsExactly(1, 2, 3, 4, 1, 11, 12, 13, 1, 20, 21, 22);
  }

  @Test
  void bytesDoNotDependOnPartitionsNorOnPieces(SparkSession spark) throws IOException {
    for (int i = 0; i < 5; i++) {
      Files.writeString(data.resolve(i + ".txt"), Given.words(700 + 31 * i));
    }
    DataSettings settings = sample(Given.settings(data, 16, 3), 40, Sample.RANDOM, 5);
    List<String> hashes = new ArrayList<>();
    List<String> digests = new ArrayList<>();
    for (int partitions = 1; partitions <= 3; partitions++) {
      int run = partitions == 2 ? 400 : TokenRuns.RUN;
      Path cache = folder.resolve("cache-" + partitions);
      TokenChunks tokens =
          new TokenPreparation(spark, store, partitions, run)
              .prepare(settings, model, Given.at(cache));
      assertThat(tokens.chunks()).isEqualTo(14);
      digests.add(tokens.digest());
      hashes.add(hashes(cache));
    }
    assertThat(hashes).hasSize(3).containsOnly(hashes.get(0));
    assertThat(digests).containsOnly(digests.get(0));
  }

  @Test
  void whatIsKeptIsUsedAgainAndWhatChangedIsMadeAnew(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    TokenChunks first = prepare(spark, Given.settings(file, 4, 2));
    Path chunk = Path.of(first.directory().child("tokens-00000.arrow").path());
    FileTime written = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(chunk, written);
    Files.move(file, data.resolve("b.txt"));
    TokenChunks again = prepare(spark, Given.settings(data.resolve("b.txt"), 4, 2));
    assertThat(again.directory()).isEqualTo(first.directory());
    assertThat(Files.getLastModifiedTime(chunk)).isEqualTo(written);

    Files.writeString(data.resolve("b.txt"), " w7", StandardOpenOption.APPEND);
    TokenChunks changed = prepare(spark, Given.settings(data.resolve("b.txt"), 4, 2));
    assertThat(changed.directory()).isNotEqualTo(first.directory());
    assertThat(changed.digest()).isNotEqualTo(first.digest());
    assertThat(prepare(spark, Given.settings(data.resolve("b.txt"), 5, 2)).directory())
        .isNotEqualTo(changed.directory());
  }

  @Test
  void theRemainderOfAKilledAttemptIsWrittenAnew(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    TokenChunks first = prepare(spark, Given.settings(file, 4, 2));
    String whole = hashes(folder.resolve("cache"));
    Files.delete(Path.of(TokenChunks.manifestOf(first.directory()).path()));
    Path chunk = Path.of(first.directory().child("tokens-00001.arrow").path());
    Files.write(chunk, java.util.Arrays.copyOf(Files.readAllBytes(chunk), 100));
    prepare(spark, Given.settings(file, 4, 2));
    assertThat(hashes(folder.resolve("cache"))).isEqualTo(whole);
  }

  @Test
  void aChunkThatWasChangedIsNotUsed(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    TokenChunks tokens = prepare(spark, Given.settings(file, 4, 2));
    Path chunk = Path.of(tokens.directory().child("tokens-00000.arrow").path());
    byte[] bytes = Files.readAllBytes(chunk);
    bytes[bytes.length / 2] ^= 1;
    Files.write(chunk, bytes);
    assertThatThrownBy(() -> tokens.readChunk(0))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("tokens-00000.arrow was changed since it was written");
  }

  @Test
  void aManifestThatWasChangedIsNotUsed(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    TokenChunks tokens = prepare(spark, Given.settings(file, 4, 2));
    Path manifest = Path.of(TokenChunks.manifestOf(tokens.directory()).path());
    String json = Files.readString(manifest);
    Files.writeString(manifest, json.replace("\"length\" : 4", "\"length\" : 3"));
    assertThatThrownBy(() -> TokenChunks.find(store, tokens.directory()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("does not match its own digest");
    Files.writeString(manifest, json.replace("\"format_version\" : 1", "\"format_version\" : 2"));
    assertThatThrownBy(() -> TokenChunks.find(store, tokens.directory()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is of another format version");
  }

  @Test
  void theManifestIsReadAsItWasWritten(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    TokenChunks tokens = prepare(spark, Given.settings(file, 4, 2));
    assertThat(TokenChunks.find(store, tokens.directory()).orElseThrow().manifest())
        .isEqualTo(tokens.manifest());
    assertThat(TokenChunks.find(store, Given.at(folder))).isEmpty();
  }

  @Test
  void theFirstErrorInTheOrderOfFilesIsTold(SparkSession spark) throws IOException {
    Files.writeString(data.resolve("a.txt"), Given.words(11));
    Files.writeString(data.resolve("b.jsonl"), "{\"text\": \"w0\"}\n{\"text\": \"w1\"\n");
    Files.writeString(data.resolve("c.jsonl"), "{\"body\": \"w0\"}\n");
    assertThatThrownBy(() -> prepare(spark, Given.settings(data, 4, 2)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("b.jsonl line 2 is not valid JSON");
    assertThat(folder.resolve("cache")).doesNotExist();
  }

  @Test
  void theTokenizerOfAnotherModelIsRefused(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    model = new ModelTokens(model.checkpoint(), 20, 64, OptionalInt.empty());
    assertThatThrownBy(() -> prepare(spark, Given.settings(file, 4, 2)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("the tokenizer of another model");
  }

  @Test
  void emptyDataIsAnError(SparkSession spark) throws IOException {
    Files.writeString(data.resolve("a.txt"), "");
    Files.writeString(data.resolve("b.jsonl"), "\n");
    assertThatThrownBy(() -> prepare(spark, Given.settings(data, 4, 2)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("The data have no tokens")
        .hasMessageContaining("and 1 more are empty");
  }

  @Test
  void tooFewTokensAreAnErrorWithNumbers(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    assertThatThrownBy(() -> prepare(spark, sample(Given.settings(file, 4, 2), 9, Sample.FIRST, 0)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("11 tokens, which make 3 sequences of 3 tokens each, but 9");
  }

  @Test
  void textAndIdsInTwoFilesDoNotMix(SparkSession spark) throws IOException {
    Files.writeString(data.resolve("a.txt"), Given.words(11));
    Files.writeString(data.resolve("b.jsonl"), "{\"input_ids\": [1, 2, 3, 4]}\n");
    assertThatThrownBy(() -> prepare(spark, Given.settings(data, 4, 2)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("hold one text and the other token ids");
  }

  @Test
  void aSequenceFitsTheContext(SparkSession spark) {
    assertThatThrownBy(() -> prepare(spark, Given.settings(data, 65, 2)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("length = 65 is longer than the context of")
        .hasMessageContaining("64 tokens");
  }

  @Test
  void aTypedErrorOfATaskIsThrownAsItIs(SparkSession spark) throws IOException {
    Path file = Files.writeString(data.resolve("a.txt"), Given.words(11));
    TokenPreparation preparation = new TokenPreparation(spark, store);
    assertThatThrownBy(() -> preparation.prepare(Given.settings(file, 4, 2), model, Given.at(file)))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("Cannot write file://" + file)
        .hasMessageContaining("tokens-0000");
  }

  private TokenChunks prepare(SparkSession spark, DataSettings settings) {
    Location cache = Given.at(folder.resolve("cache"));
    return new TokenPreparation(spark, store).prepare(settings, model, cache);
  }

  private static DataSettings with(DataSettings settings, DataSettings.Bos bos) {
    return new DataSettings(
        settings.data(),
        Optional.empty(),
        settings.length(),
        Optional.empty(),
        Sample.FIRST,
        0,
        bos,
        settings.sequencesPerChunk());
  }

  private static DataSettings sample(
      DataSettings settings, int sequences, Sample sample, long seed) {
    return new DataSettings(
        settings.data(),
        Optional.empty(),
        settings.length(),
        Optional.of(sequences),
        sample,
        seed,
        DataSettings.Bos.AUTO,
        settings.sequencesPerChunk());
  }

  /** Names and hashes of all files below a folder. */
  private String hashes(Path root) throws IOException {
    TreeMap<String, String> hashes = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      files
          .filter(Files::isRegularFile)
          .forEach(
              file ->
                  hashes.put(
                      root.relativize(file).toString(), StoredFiles.sha256(store, Given.at(file))));
    }
    assertThat(hashes).isNotEmpty();
    return hashes.toString();
  }
}
