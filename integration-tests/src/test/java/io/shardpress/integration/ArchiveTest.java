package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Archives checkpoints as a user does, and gets them back. */
class ArchiveTest {
  private static final int INPUT = 2;
  private static final int DESTINATION = 5;
  private static final String SYMMETRIC = "{ rtn { scheme = W4A16 } }";

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path published() {
    return shared.resolve("published");
  }

  private static Path archived() {
    return shared.resolve("archived");
  }

  @BeforeAll
  static void archiveAPublishedCheckpoint() {
    compress(Home.quickstart(), SYMMETRIC, published());
    archive(published(), archived()).succeeded();
  }

  private static void compress(Path model, String step, Path output, String... settings) {
    Path recipe = output.resolveSibling(output.getFileName() + ".conf");
    List<String> command = new ArrayList<>(List.of("compress"));
    command.add(Recipes.write(recipe, model, step));
    command.addAll(List.of("--set", "evaluation.data=[]", "--output", output.toString()));
    for (String setting : settings) {
      command.addAll(List.of("--set", setting));
    }
    Cli.run(command.toArray(String[]::new)).succeeded();
  }

  private static Cli.Result archive(Path checkpoint, Path archive) {
    return command("archive", checkpoint, archive);
  }

  private static Cli.Result restore(Path archive, Path folder) {
    return command("restore", archive, folder);
  }

  private static Cli.Result command(String name, Path from, Path to) {
    return Cli.run(
        name,
        from.toString(),
        to.toString(),
        "--set",
        "spark.master=\"local[2]\"",
        "--set",
        "spark.ui.enabled=false");
  }

  private static JsonNode figures(Path archive) throws IOException {
    return new ObjectMapper()
        .readTree(Folders.bytes(archive.resolve("archive.json")))
        .path("figures");
  }

  /** Archives and restores; what comes back is what there was, to the last byte. */
  private JsonNode roundTrip(Path checkpoint) throws IOException {
    Map<String, String> before = Folders.hashes(checkpoint);
    Path archive = folder.resolve("archive");
    Path back = folder.resolve("back");

    archive(checkpoint, archive).succeeded();
    restore(archive, back).succeeded();

    assertThat(Folders.hashes(back)).isEqualTo(before);
    assertThat(Folders.hashes(checkpoint)).isEqualTo(before);
    return figures(archive);
  }

  @Test
  void a_published_checkpoint_comes_back_and_verifies() throws IOException {
    JsonNode figures = roundTrip(published());

    assertThat(figures.path("total").path("archive_bytes").asLong())
        .isLessThan(figures.path("total").path("source_bytes").asLong());
    assertThat(figures.path("codes").path("ratio").asDouble()).isBetween(1.0, 1.01);
    assertThat(figures.path("weights").asLong()).isEqualTo(3_145_728);
    assertThat(figures.path("bits_per_weight").asDouble()).isLessThan(4);
    Cli.run("verify", "--output", folder.resolve("back").toString()).succeeded();
  }

  @Test
  void a_dense_checkpoint_comes_back() throws IOException {
    JsonNode figures = roundTrip(Home.quickstart());

    assertThat(figures.path("floats").path("ratio").asDouble()).isBetween(1.0, 1.01);
    assertThat(figures.has("weights")).isFalse();
  }

  @Test
  void several_files_of_eight_bits_come_back() throws IOException {
    Path output = folder.resolve("int8");
    compress(
        Home.quickstart(),
        "{ rtn { scheme = W8_CHANNEL, activations = dynamic-int8 } }",
        output,
        "output.max-shard-size=1MB");
    assertThat(Folders.files(output)).contains("model.safetensors.index.json");

    JsonNode figures = roundTrip(output);

    assertThat(figures.path("codes").path("source_bytes").asLong()).isEqualTo(3_145_728);
    assertThat(figures.path("codes").path("ratio").asDouble()).isBetween(1.0, 1.01);
  }

  @Test
  void asymmetric_codes_come_back() throws IOException {
    Path output = folder.resolve("asymmetric");
    compress(Home.quickstart(), "{ rtn { scheme = W4A16_ASYM, bits = 3 } }", output);
    assertThat(roundTrip(output).path("bits_per_weight").asDouble()).isLessThan(3);
  }

  @Test
  void a_mask_of_two_of_four_takes_two_thirds_of_a_bit() throws IOException {
    Path pruned = prunedTwoOfFour(folder.resolve("pruned"));
    Path output = folder.resolve("sparse");
    compress(pruned, SYMMETRIC, output);

    JsonNode figures = roundTrip(output);

    double weights = figures.path("weights").asDouble();
    double maskBits = 8 * figures.path("masks").path("archive_bytes").asDouble() / weights;
    System.out.printf(
        "2:4, 4 bits: %.3f bits per weight, masks %.3f, with scales %.3f%n",
        figures.path("bits_per_weight").asDouble(),
        maskBits,
        figures.path("linear_bits_per_weight").asDouble());
    assertThat(maskBits).isBetween(0.6, 0.75);
    assertThat(figures.path("linear_bits_per_weight").asDouble()).isLessThan(3);
  }

  @Test
  void a_dense_checkpoint_with_zeros_comes_back() throws IOException {
    JsonNode figures = roundTrip(prunedTwoOfFour(folder.resolve("pruned")));
    assertThat(figures.path("masks").path("archive_bytes").asLong()).isPositive();
    assertThat(figures.path("masks").path("ratio").asDouble()).isBetween(1.0, 1.02);
  }

  /** The quickstart with the two smallest of four neighbouring weights of its linears zeroed. */
  private static Path prunedTwoOfFour(Path model) {
    for (String name : Folders.files(Home.quickstart())) {
      Folders.write(model.resolve(name), Folders.bytes(Home.quickstart().resolve(name)));
    }
    WeightFile file = WeightFile.read(model.resolve("model.safetensors"));
    ByteBuffer data = ByteBuffer.wrap(file.data()).order(ByteOrder.LITTLE_ENDIAN);
    for (Map.Entry<String, JsonNode> tensor : file.header().properties()) {
      if (tensor.getKey().endsWith("_proj.weight")) {
        JsonNode offsets = tensor.getValue().path("data_offsets");
        for (int at = offsets.get(0).asInt(); at < offsets.get(1).asInt(); at += 8) {
          zeroTwo(data, at);
        }
      }
    }
    file.write(model.resolve("model.safetensors"));
    return model;
  }

  private static void zeroTwo(ByteBuffer data, int at) {
    int[] sizes = new int[4];
    for (int i = 0; i < 4; i++) {
      sizes[i] = ((data.getShort(at + 2 * i) & 0x7fff) << 2) | i; // BF16 orders as integers do
    }
    Arrays.sort(sizes);
    for (int i = 0; i < 2; i++) {
      data.putShort(at + 2 * (sizes[i] & 3), (short) 0);
    }
  }

  private Path copyOfArchive() {
    Path copy = folder.resolve("copy");
    for (String name : Folders.files(archived())) {
      Folders.write(copy.resolve(name), Folders.bytes(archived().resolve(name)));
    }
    return copy;
  }

  private void refusesToRestore(Path archive, int code, String... parts) {
    Path back = folder.resolve("back");
    restore(archive, back).refused(code, parts);
    assertThat(Folders.files(back)).isEmpty();
  }

  @Test
  void flipped_bit() {
    for (String name : List.of("model.safetensors.coded", "tokenizer.json.coded")) {
      Path file = copyOfArchive().resolve(name);
      byte[] bytes = Folders.bytes(file);
      bytes[bytes.length / 3] ^= 1;
      Folders.write(file, bytes);

      refusesToRestore(folder.resolve("copy"), INPUT, "copy/" + name, "damaged");
    }
  }

  @Test
  void shorter_file() {
    Path file = copyOfArchive().resolve("model.safetensors.coded");
    Folders.write(file, Arrays.copyOf(Folders.bytes(file), 100_000));

    refusesToRestore(folder.resolve("copy"), INPUT, "copy/model.safetensors.coded", "100000 bytes");
  }

  @Test
  void missing_file() {
    Folders.delete(copyOfArchive().resolve("config.json.coded"));
    refusesToRestore(folder.resolve("copy"), INPUT, "copy/config.json.coded");
  }

  @Test
  void files_of_another_archive() throws IOException {
    Path copy = copyOfArchive();
    Folders.write(
        copy.resolve("config.json.coded"),
        Folders.bytes(archived().resolve("generation_config.json.coded")));
    refusesToRestore(copy, INPUT, "copy/config.json.coded", "damaged");
  }

  @Test
  void changed_manifest() {
    Path manifest = copyOfArchive().resolve("archive.json");
    String text = new String(Folders.bytes(manifest), StandardCharsets.UTF_8);
    write(manifest, text.replace("config.json", "confog.json"));
    refusesToRestore(folder.resolve("copy"), INPUT, "copy/archive.json", "changed");
    write(manifest, "{\n");
    refusesToRestore(folder.resolve("copy"), INPUT, "copy/archive.json");
    write(manifest, "");
    refusesToRestore(folder.resolve("copy"), INPUT, "no complete archive.json");
    Folders.delete(manifest);
    refusesToRestore(folder.resolve("copy"), INPUT, "no complete archive.json");
  }

  private static void write(Path file, String text) {
    Folders.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void folders_that_are_taken() {
    Map<String, String> before = Folders.hashes(published());
    restore(archived(), published()).refused(DESTINATION, "published", "not empty");
    assertThat(Folders.hashes(published())).isEqualTo(before);

    Map<String, String> archive = Folders.hashes(archived());
    archive(Home.quickstart(), archived()).refused(DESTINATION, "archived", "not empty");
    assertThat(Folders.hashes(archived())).isEqualTo(archive);
  }

  @Test
  void settings_that_are_not_sparks() {
    Cli.run("archive", "a", "b", "--set", "model=c").refused(1, "--set model=c", "spark.<key>");
  }

  @Test
  void no_checkpoint_and_no_archive() {
    Path archive = folder.resolve("archive");
    archive(folder.resolve("none"), archive).refused(INPUT, "none");
    write(folder.resolve("notes/notes.txt"), "x");
    archive(folder.resolve("notes"), archive).refused(INPUT, "notes", "safetensors");
    archive(archived(), archive).refused(INPUT, "archived", "safetensors");
    assertThat(archive).doesNotExist();
    refusesToRestore(published(), INPUT, "published", "no archive");
    refusesToRestore(folder.resolve("none"), INPUT, "none", "no archive");
  }
}
