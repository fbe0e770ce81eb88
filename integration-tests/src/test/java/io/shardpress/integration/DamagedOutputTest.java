package io.shardpress.integration;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Published checkpoints that were changed afterwards. */
class DamagedOutputTest {
  private static final int INPUT = 2;
  @TempDir private static Path shared;
  @TempDir private Path folder;

  @BeforeAll
  static void publish() {
    Cli.run(
            "compress",
            Recipes.write(shared.resolve("recipe.conf"), Home.quickstart(), Recipes.RTN),
            "--set",
            "evaluation.data=[]",
            "--output",
            shared.resolve("output").toString())
        .succeeded();
  }

  @Test
  void flipped_bit() {
    Path weights = copy().resolve("model.safetensors");
    byte[] bytes = Folders.bytes(weights);
    bytes[bytes.length - 100] ^= 1;
    Folders.write(weights, bytes);

    verify().refused(INPUT, "output/model.safetensors", "SHA-256");
  }

  @Test
  void shorter_file() {
    Folders.write(copy().resolve("tokenizer.json"), new byte[10]);

    verify().refused(INPUT, "output/tokenizer.json", "10 bytes");
  }

  @Test
  void missing_file() {
    Folders.delete(copy().resolve("config.json"));

    verify().refused(INPUT, "output/config.json");
  }

  @Test
  void file_of_somebody_else() {
    Folders.write(copy().resolve("pytorch_model.bin"), new byte[10]);

    verify().refused(INPUT, "'pytorch_model.bin'");
  }

  @Test
  void unfinished() {
    Folders.delete(copy().resolve("_SUCCESS.json"));

    verify().refused(INPUT, "_SUCCESS.json", "not a complete checkpoint");
  }

  @Test
  void mark_of_another_program() {
    text("_SUCCESS.json", "{\"format\": \"other/1\"}").refused(INPUT, "'other/1'");
    text("_SUCCESS.json", "{").refused(INPUT, "output/_SUCCESS.json");
    text("_SUCCESS.json", "{\"format\": \"shardpress-run/1\"}")
        .refused(INPUT, "output/_SUCCESS.json");
  }

  @Test
  void mark_that_leads_outside() {
    text(
            "_SUCCESS.json",
            """
            {"format": "shardpress-run/1",
             "files": [{"name": "../../etc/passwd", "bytes": 1, "sha256": "00"}]}
            """)
        .refused(INPUT, "../../etc/passwd");
  }

  @Test
  void another_source() {
    copy();
    BrokenModel other =
        BrokenModel.in(folder.resolve("other"))
            .weights(
                file -> {
                  file.poke("model.norm.weight", (short) 0x4300);
                  return file;
                });

    Cli.run(
            "verify",
            shared.resolve("recipe.conf").toString(),
            "--output",
            folder.resolve("output").toString(),
            "--source",
            other.folder().toString())
        .refused(INPUT, "model.norm.weight");
  }

  @Test
  void no_checkpoint_at_all() {
    Cli.run("verify", "--output", folder.resolve("none").toString()).refused(INPUT, "none");
    Cli.run(
            "evaluate",
            "--model",
            folder.resolve("none").toString(),
            "--data",
            Home.quickstart().resolve("evaluation.txt").toString())
        .refused(INPUT, "none");
  }

  private Cli.Result text(String name, String text) {
    Folders.write(copy().resolve(name), text.getBytes(StandardCharsets.UTF_8));
    return verify();
  }

  private Path copy() {
    Path output = folder.resolve("output");
    for (String name : Folders.files(shared.resolve("output"))) {
      Folders.write(output.resolve(name), Folders.bytes(shared.resolve("output").resolve(name)));
    }
    return output;
  }

  private Cli.Result verify() {
    return Cli.run(
        "verify",
        shared.resolve("recipe.conf").toString(),
        "--output",
        folder.resolve("output").toString());
  }
}
