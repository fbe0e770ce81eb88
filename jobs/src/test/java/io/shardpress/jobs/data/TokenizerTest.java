package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  @TempDir Path folder;

  /** The resource asks for truncation to four tokens and for BOS: neither may happen. */
  @Test
  void aTextIsTokenizedWholeAndWithoutSpecialTokens() throws IOException {
    Given.tokenizer("words.json", folder);
    try (Tokenizer tokenizer = open(Given.WORDS)) {
      assertThat(tokenizer.encode("w0 w1 w2\nw3  w4 other")).containsExactly(2, 3, 4, 5, 6, 0);
      assertThat(tokenizer.encode("")).isEmpty();
    }
  }

  @Test
  void theLargestIdMayBeTheLastOfTheVocabulary() throws IOException {
    Given.tokenizer("words.json", folder);
    assertThat(TokenizerFile.read(Given.store(), Given.at(folder), Given.WORDS).largestId())
        .isEqualTo(51);
  }

  @Test
  void theTokenizerOfAnotherModelIsRefused() throws IOException {
    Given.tokenizer("words.json", folder);
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("token ids up to 51, but the model has a vocabulary of 51 tokens")
        .hasMessageContaining("the tokenizer of another model");
  }

  @Test
  void addedTokensAndUnigramListsCount() throws IOException {
    write(
        "{\"added_tokens\": [{\"id\": 9, \"content\": \"<x>\"}], \"model\": {\"vocab\": {\"a\":"
            + " 3}}}");
    assertThatThrownBy(() -> open(5)).hasMessageContaining("ids up to 9");
    write("{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", -1.0], [\"b\", -2.0]]}}");
    assertThatThrownBy(() -> open(1)).hasMessageContaining("ids up to 1,");
  }

  @Test
  void aModelWithoutTokenizerNamesTheAlternative() {
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("There is no tokenizer.json in file://" + folder)
        .hasMessageContaining("give ready token ids");
  }

  @Test
  void aFileThatIsNoTokenizerIsNamed() throws IOException {
    write("{\"model\": {\"vocab\": {\"a\": 3}");
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("file://" + folder + "/tokenizer.json is not valid JSON");
    write("[]");
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("it holds no vocabulary");
    write("{\"model\": {\"type\": \"Unheard\", \"vocab\": {\"a\": 3}}}");
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Cannot use the tokenizer");
  }

  /** Rust aborts the process over the first two, and overflows its stack over the third. */
  @Test
  void whatWouldEndTheProcessIsRefusedBefore() throws IOException {
    String model = "\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"%s\", -1.0]]}}";
    write("{\"decoder\": {\"type\": \"Metaspace\", \"x\": 1e400}, " + model.formatted("a"));
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("tokenizer.json is not valid JSON: A number is beyond the range");
    write("{\"decoder\": {\"type\": \"\\ud800\"}, " + model.formatted("a"));
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("half of a surrogate pair");
    write("{" + model.formatted("x".repeat(20_000)));
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Cannot use the tokenizer file://" + folder + "/tokenizer.json")
        .hasMessageContaining("a token has 20000 characters");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.5", "\"7\"", "-1", "18446744073709551615", "null", "[3]", "true"})
  void idsAreWholeNumbers(String id) throws IOException {
    write("{\"model\": {\"vocab\": {\"a\": " + id + "}}}");
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a token id that is no number of a token");
    write("{\"added_tokens\": [{\"id\": " + id + "}], \"model\": {\"vocab\": {\"a\": 1}}}");
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a token id that is no number of a token");
  }

  @Test
  void everyTaskUsesTheSameTokenizer() throws IOException {
    Given.tokenizer("words.json", folder);
    assertThatThrownBy(
            () -> Tokenizer.open(Given.store(), Given.at(folder), Given.WORDS, Sha256.of("other")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("tokenizer.json was changed while the run was using it");
  }

  private void write(String json) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), json);
  }

  private Tokenizer open(int vocabulary) {
    return Given.tokenizer(Given.at(folder), vocabulary);
  }
}
