package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers and texts that cannot be used. */
class BadDataTest extends Refusals {

  @Test
  void tokenizer_of_another_model() throws IOException {
    BrokenModel model =
        model()
            .json(
                "tokenizer.json",
                tokenizer ->
                    ((ObjectNode) tokenizer.path("model").path("vocab")).put("foreign", 31999));

    refuses(model, Recipes.GPTQ, INPUT, "model/tokenizer.json", "31999", "vocabulary of 2048");
  }

  @Test
  void no_tokenizer() throws IOException {
    BrokenModel model = model().without("tokenizer.json");

    refuses(model, Recipes.GPTQ, INPUT, "tokenizer.json", "token ids");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}}}"})
  void tokenizer_that_is_none(String text) throws IOException {
    BrokenModel model = model().text("tokenizer.json", text);

    refuses(model, Recipes.GPTQ, INPUT, "model/tokenizer.json");
  }

  @Test
  void no_such_file() throws IOException {
    refusesData(folder.resolve("no-text.txt").toString(), INPUT, "no-text.txt", "Check the path");
  }

  @Test
  void no_file_matches() throws IOException {
    refusesData(folder.resolve("*.jsonl").toString(), INPUT, "*.jsonl", "pattern");
  }

  @Test
  void too_little() throws IOException {
    refusesData(file("short.txt", "a few words and no more"), INPUT, "tokens", "sequences");
  }

  @Test
  void nothing_at_all() throws IOException {
    refusesData(file("empty.txt", ""), INPUT, "empty.txt");
  }

  @Test
  void not_text() throws IOException {
    Path file = folder.resolve("latin.txt");
    byte[] bytes = new byte[4096];
    Arrays.fill(bytes, (byte) 0xe9);
    Folders.write(file, bytes);

    refusesData(file.toString(), INPUT, "latin.txt", "UTF-8");
  }

  @Test
  void unknown_format() throws IOException {
    refusesData(file("text.docx", "words"), INPUT, "text.docx", ".jsonl");
  }

  @Test
  void line_that_is_no_json() throws IOException {
    refusesData(file("bad.jsonl", "{\"text\": \"a\"}\n{\"text\":\n"), INPUT, "bad.jsonl", "line 2");
  }

  @Test
  void field_that_is_not_there() throws IOException {
    refusesData(file("other.jsonl", "{\"body\": \"a\"}\n"), INPUT, "other.jsonl", "'text'");
  }

  @Test
  void parquet_that_is_none() throws IOException {
    refusesData(file("bad.parquet", "PAR1 and nothing else"), INPUT, "bad.parquet");
  }

  @Test
  void no_data_for_a_step_that_needs_them() throws IOException {
    refusesData("", INPUT, "calibration.data", "rtn");
  }

  @Test
  void sequences_longer_than_the_model_allows() throws IOException {
    compress(recipe(Home.quickstart(), Recipes.GPTQ), "--set", "calibration.length=4096")
        .refused(INPUT, "4096", "1024");

    assertNothingPublished();
  }

  @Test
  void bad_text_to_evaluate_on_is_found_before_compression_is_paid_for() throws IOException {
    Cli.Result result =
        compress(
                recipe(Home.quickstart(), Recipes.RTN),
                "--set",
                "evaluation.data=" + folder.resolve("none.txt"))
            .refused(INPUT, "none.txt");

    assertThat(result.out()).doesNotContain("compress ");
    assertNothingPublished();
  }

  private void refusesData(String data, int code, String... parts) throws IOException {
    String setting = data.isEmpty() ? "calibration.data=[]" : "calibration.data=" + data;
    compress(recipe(Home.quickstart(), Recipes.GPTQ), "--set", setting).refused(code, parts);
    assertNothingPublished();
  }

  private String file(String name, String text) {
    Path file = folder.resolve(name);
    Folders.write(file, text.getBytes(StandardCharsets.UTF_8));
    return file.toString();
  }
}
