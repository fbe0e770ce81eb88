package io.shardpress.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.InMemoryStore;
import io.shardpress.common.storage.Location;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Small recipes that would take all memory, all stack or all day. */
@Tag("small-heap")
class HoconBombTest {
  /** Far above what any takes: they differ from their limits by factors of millions. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final InMemoryStore store = new InMemoryStore();
  private final Location folder = Location.of("mem://host/recipes");
  private final Location recipe = folder.child("recipe.conf");

  @ParameterizedTest
  @CsvSource({
    "'a=', '[', ''",
    "'a=', '[', ']'",
    "'a', '{a:', '}'",
    "'a=', '{\"a\":[', ']}'",
    "'a=1\nb', '.b', ''",
    "'b', ' . \"b\"', '=1'",
    "'a=[1]\nb=', '[\n//]\n', ']'",
    "'a=', '[\"]\",', ']'"
  })
  void deepNestingIsRefused(String before, String open, String close) {
    for (int depth : new int[] {101, 2_000, 30_000}) {
      assertRefused(before + open.repeat(depth) + close.repeat(depth), "Write it flatter");
    }
  }

  @Test
  void whatPeopleNestIsRead() {
    Config nested = parse("a=" + "[{b:".repeat(45) + "1" + "}]".repeat(45));
    assertThat(nested.hasPath("a")).isTrue();
    String path = "\"\"\"[[[[\"\"\" # [[[\n";
    assertThat(parse("x = [" + "\"}]]\", ".repeat(1000) + "]\ny = " + path).getList("x"))
        .hasSize(1000);
  }

  @Test
  void longDocumentsAreRefusedBeforeTheyAreRead() {
    store.put(recipe, new byte[10 << 20]);
    assertThatThrownBy(() -> Hocon.read(store, recipe))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("recipe.conf has 10485760 bytes; at most 131072 are read");
  }

  @Test
  void aLongValueEndsInTime() {
    assertThat(parse("a = " + "x ".repeat(60_000)).getString("a")).hasSize(119_999);
  }

  @Test
  void textThatIsNotUtf8IsRefused() {
    store.put(recipe, new byte[] {'a', '=', (byte) 0xC0, (byte) 0x80});
    assertThatThrownBy(() -> Hocon.read(store, recipe))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("recipe.conf is not UTF-8 text");
  }

  @Test
  void valuesThatDoubleAndDoubleAreRefused() {
    assertRefused(chain("a0=[1,2]", i -> "${a%d} ${a%d}"), "would have more than");
    assertRefused(chain("a0=xx", i -> "${a%d}${a%d}"), "would have more than");
    assertRefused(chain("a0={x:1}", i -> "{x:${a%d},y:${a%d}}"), "would have more than");
    assertRefused(chain("a0=[1]", i -> "[${a%d},${?a%d}]"), "would have more than");
    assertRefused(chain("a0=[1]", i -> "${?a%d}${?a%d}${UNKNOWN_OR_NOT}"), "would have more than");
    assertRefused(chain("a0={b:[1]}", i -> "{b=${a%d.b}${a%d.b}}"), "would have more than");
  }

  @Test
  void valuesThatDoubleThemselvesAreRefused() {
    assertRefused("a=[1]\n" + "a=${a}${a}\n".repeat(40), "would have more than");
    assertRefused("a=x\n" + "a=${a}${a}${a}\n".repeat(30), "would have more than");
    assertRefused("a{b=[1]}\n" + "a.b=${a.b}${a.b}\n".repeat(40), "would have more than");
  }

  @Test
  void longChainsAreRefused() {
    assertRefused("a=[1]\n" + "a+=1\n".repeat(2_000), "has 2000 substitutions");
    assertRefused("a=1\nb=[" + "${a},".repeat(3_000) + "]", "has 3000 substitutions");
    assertRefused("a=${?x}{b:{c:1}}\n".repeat(2_000), "has 2000 substitutions");
    assertRefused(
        "a0=1\n" + lines(3_000, i -> "a%d=${a%d}".formatted(i, i - 1)), "has 3000 substitutions");
  }

  @Test
  void asManyAsAreAllowedEndInTime() {
    assertResolves("a0=1\n" + lines(300, i -> "a%d=${a%d}".formatted(i, i - 1)));
    assertResolves("a300=1\n" + lines(300, i -> "a%d=${a%d}".formatted(i - 1, i)));
    assertResolves("a=1\nb=[" + "${a},".repeat(300) + "]");
    assertResolves(lines(150, i -> "a=${?x}{b:{c:%d}}".formatted(i)));
    assertResolves("a=[1]\n" + "a+=1\n".repeat(20));
    assertResolves(
        "base=\"s3a://bucket\"\n" + lines(100, i -> "u%d=${base}/${base}/x".formatted(i)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a=${a}", "a=${b}\nb=${a}", "a=${b}\nb=${c}\nc=[${a}]", "a{b=${a}}"})
  void circlesAreRefused(String text) {
    assertRefused(text, "cannot be resolved");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a=${",
        "a=${}",
        "a=${?}",
        "a=${a b",
        "a=${${b}}",
        "a=${.}",
        "a=${a..b}",
        "a=${\"x}",
        "=1",
        "a b c",
        "a=\"",
        "a=\"\"\"x",
        "}",
        "]",
        "a=}",
        "{a=1}}",
        "a=[1,,2]",
        ",",
        "a=\u0001{",
        "include",
        "include ${x}",
        "include required",
        "include file(x)",
        "include \"x\" \"y\"",
        "include package(\"x\")",
        "include required(required(\"x\"))",
        "a=1\\u",
        "\"\\x\"=1"
      })
  void whatIsNoHoconIsRefused(String text) {
    assertThatThrownBy(() -> Hocon.resolve(read(text)))
        .as(text)
        .isInstanceOf(InputException.class)
        .message()
        .hasSizeLessThan(1_000);
  }

  @Test
  void includesThatMultiplyAreRefused() {
    for (int i = 0; i < 30; i++) {
      String next = "include \"i%d.conf\"\n".formatted(i + 1);
      put("i" + i + ".conf", "a%d { %s }\nb%d { %s }".formatted(i, next, i, next));
    }
    put("i30.conf", "x = 1");
    assertThatThrownBy(() -> Hocon.read(store, folder.child("i0.conf")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("are more than 100 files or 1048576 bytes");
  }

  @Test
  void includesThatAddUpAreRefused() {
    put("big.conf", "x = 1 #" + "x".repeat(100_000));
    assertThatThrownBy(() -> read("include \"big.conf\"\n".repeat(20)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("are more than 100 files or 1048576 bytes");
  }

  private String chain(String first, IntFunction<String> line) {
    return first
        + "\n"
        + lines(30, i -> "a%d=".formatted(i) + line.apply(i).replace("%d", String.valueOf(i - 1)));
  }

  private static String lines(int count, IntFunction<String> line) {
    return IntStream.rangeClosed(1, count).mapToObj(line).collect(Collectors.joining("\n"));
  }

  private void assertRefused(String text, String why) {
    Assertions.assertTimeoutPreemptively(
        PATIENCE,
        () ->
            assertThatThrownBy(() -> Hocon.resolve(read(text)))
                .as(text.substring(0, Math.min(100, text.length())))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(why)
                .message()
                .hasSizeLessThan(1_000));
  }

  private void assertResolves(String text) {
    Assertions.assertTimeoutPreemptively(
        PATIENCE, () -> assertThat(Hocon.resolve(read(text)).isResolved()).isTrue());
  }

  /** As a file where it fits, as the text of an assignment else. */
  private Config read(String text) {
    if (text.length() > 100_000) {
      return Hocon.parse(text, "--set");
    }
    put("recipe.conf", text);
    return Hocon.read(store, recipe);
  }

  private static Config parse(String text) {
    return Hocon.parse(text, "recipe.conf");
  }

  private void put(String name, String text) {
    store.put(folder.child(name), text.getBytes(StandardCharsets.UTF_8));
  }
}
