package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        .hasMessageContaining("Cannot use the tokenizer file://" + folder + "/tokenizer.json");
    write("[]");
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("it holds no vocabulary");
    write("{\"model\": {\"type\": \"Unheard\", \"vocab\": {\"a\": 3}}}");
    assertThatThrownBy(() -> open(51))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Cannot use the tokenizer");
  }

  private void write(String json) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), json);
  }

  private Tokenizer open(int vocabulary) {
    return Tokenizer.open(Given.store(), Given.at(folder), vocabulary);
  }
}
