package io.shardpress.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigUtil;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HostileNames;
import io.shardpress.common.storage.InMemoryStore;
import io.shardpress.common.storage.Location;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HoconTest {
  private final InMemoryStore store = new InMemoryStore();
  private final Location folder = Location.of("mem://host/recipes");

  private Location write(String name, String text) throws IOException {
    Location file = folder.child(name);
    try (OutputStream out = store.create(file)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return file;
  }

  @Test
  void includesAFileOfTheSameFolder() throws IOException {
    write("base.conf", "bits = 4, group = 128");
    Location recipe = write("recipe.conf", "include \"base.conf\"\nbits = 3");
    assertThat(Hocon.read(store, recipe).getInt("bits")).isEqualTo(3);
    assertThat(Hocon.read(store, recipe).getInt("group")).isEqualTo(128);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"../secret.conf\"",
        "\"/etc/passwd\"",
        "\"a/../../b.conf\"",
        "\"..\"",
        "\".hidden\"",
        "\"a//b\"",
        "\"%2e%2e/b\"",
        "\"..\\\\b\"",
        "\"http://host/x.conf\"",
        "url(\"http://host/x.conf\")",
        "file(\"/etc/passwd\")",
        "classpath(\"secret.conf\")"
      })
  void includesFromElsewhereAreRefused(String include) throws IOException {
    Location recipe = write("recipe.conf", "include " + include);
    assertThatThrownBy(() -> Hocon.read(store, recipe))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is refused")
        .hasMessageContaining("own folder");
  }

  @Test
  void hostileIncludesTouchNothingButTheRecipe() throws IOException {
    for (String name : HostileNames.ALL) {
      if (name.equals("a/b.safetensors")) {
        continue; // folders below the recipe's own are allowed
      }
      Location recipe = folder.child("recipe.conf");
      store.put(
          recipe, ("include " + ConfigUtil.quoteString(name)).getBytes(StandardCharsets.UTF_8));
      int before = store.touched().size();

      assertThatThrownBy(() -> Hocon.read(store, recipe))
          .as(name)
          .isInstanceOf(InputException.class)
          .hasMessageContaining("is refused");
      assertThat(store.touched().subList(before, store.touched().size()))
          .as(name)
          .containsOnly(recipe);
    }
  }

  @Test
  void anIncludeThatNeverEndsIsRefused() throws IOException {
    write("a.conf", "include \"b.conf\"");
    write("b.conf", "include \"a.conf\"");
    assertThatThrownBy(() -> Hocon.read(store, folder.child("a.conf")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.conf includes itself");
  }

  @Test
  void aFileMayBeIncludedTwiceSideBySide() throws IOException {
    write("base.conf", "bits = 4");
    Location recipe =
        write("recipe.conf", "x { include \"base.conf\" }, y { include \"base.conf\" }");
    assertThat(Hocon.read(store, recipe).getInt("y.bits")).isEqualTo(4);
  }

  @Test
  void aMissingIncludeIsNamed() throws IOException {
    Location recipe = write("recipe.conf", "include \"absent.conf\"");
    assertThatThrownBy(() -> Hocon.read(store, recipe))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("mem://host/recipes/absent.conf");
  }

  @Test
  void aSyntaxErrorNamesFileAndLine() throws IOException {
    Location recipe = write("recipe.conf", "a = 1\nb = {\nc = 2");
    assertThatThrownBy(() -> Hocon.read(store, recipe))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("recipe.conf")
        .hasMessageContaining("is not valid HOCON");
  }

  @Test
  void anUndefinedSubstitutionSaysWhatToDo() {
    assertThatThrownBy(() -> Hocon.resolve(Hocon.parse("a = ${SHARDPRESS_NOWHERE}", "--set")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("SHARDPRESS_NOWHERE")
        .hasMessageContaining("set the environment variable");
  }
}
