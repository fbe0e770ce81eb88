package io.shardpress.common.json;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes a valid JSON document and breaks it in one to three places, knowing its structure: keys,
 * values and whole members change, move and come twice; only now and then the text itself breaks.
 */
public final class JsonMutator {
  private static final Pattern TOKEN =
      Pattern.compile("\"(?:[^\"\\\\]++|\\\\.)*+\"|[{}\\[\\]:,]|[^\\s{}\\[\\]:,\"]++");

  private static final List<String> VALUES =
      List.of(
          "-1",
          "-0",
          "0",
          "1",
          "2",
          "1.5",
          "1e3",
          "1e400",
          "-1e400",
          "1e-400",
          "\"7\"",
          "\"\"",
          "null",
          "true",
          "false",
          "[]",
          "{}",
          "[null]",
          "{\"\":{}}",
          "[[1]]",
          "NaN",
          "Infinity",
          "-Infinity",
          "01",
          "+1",
          ".5",
          "1.",
          "0x10",
          "'x'",
          "undefined",
          "2147483647",
          "2147483648",
          "4294967296",
          "-2147483649",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551615",
          "18446744073709551616",
          "9".repeat(400),
          "9".repeat(3000),
          "0." + "3".repeat(3000),
          "\"" + "x".repeat(20_000) + "\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "\"../../etc/passwd\"",
          "\"\u0001\"",
          "\"\\x\"",
          "\"\u001b[31m\"",
          "\"é\u202E\"");
  private static final List<String> KEYS =
      List.of(
          "\"\"",
          "\"x\"",
          "\"\\u0061\"",
          "\"..\"",
          "\"" + "k".repeat(5000) + "\"",
          "7",
          "null",
          "k",
          "\"a\\nb\"");
  private static final List<String> AROUND =
      List.of(" ", "\n", "\uFEFF", "\u0000", "x", "{}", "[]", ",", "//", "#", "\u00A0", "]", "}");

  private final Random random;
  private final List<String> tokens = new ArrayList<>();
  private String before = "";
  private String after = "";
  private int flips;
  private boolean truncated;

  private JsonMutator(String document, Random random) {
    this.random = random;
    Matcher matcher = TOKEN.matcher(document);
    while (matcher.find()) {
      tokens.add(matcher.group());
    }
  }

  /** What a seed makes of a document. */
  public static byte[] mutated(String document, long seed) {
    JsonMutator mutator = new JsonMutator(document, new Random(seed));
    int changes = mutator.random.nextInt(40) == 0 ? 0 : 1 + mutator.random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      mutator.change();
    }
    return mutator.bytes();
  }

  private byte[] bytes() {
    byte[] text = (before + String.join("", tokens) + after).getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < flips && text.length > 0; i++) {
      text[random.nextInt(text.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return truncated ? Arrays.copyOf(text, random.nextInt(text.length + 1)) : text;
  }

  private void change() {
    switch (random.nextInt(14)) {
      case 0 -> flips += 1 + random.nextInt(2);
      case 1 -> truncated = random.nextInt(3) == 0;
      case 2 -> before = pick(AROUND);
      case 3 -> after = pick(AROUND);
      case 4, 5, 6 -> replace(anyValue(), pick(VALUES));
      case 7 -> replace(anyScalar(), pick(VALUES));
      case 8 -> replace(anyKey(), pick(KEYS));
      case 9 -> repeat(anyKey());
      case 10 -> remove(anyKey());
      case 11 -> wrap(anyValue());
      case 12 -> replace(anyKey(), anyText());
      default -> replace(anyScalar(), anyText());
    }
  }

  /** A stretch of tokens. */
  private record Span(int from, int to) {}

  private void replace(Span span, String with) {
    if (span.from < span.to) {
      tokens.subList(span.from, span.to).clear();
      tokens.add(span.from, with);
    }
  }

  /** The member of a key once more, in its object. */
  private void repeat(Span key) {
    if (key.from < key.to) {
      int end = valueEnd(key.to + 1);
      List<String> copy = new ArrayList<>(tokens.subList(key.from, end));
      copy.add(",");
      tokens.addAll(key.from, copy);
    }
  }

  private void remove(Span key) {
    if (key.from < key.to) {
      int end = valueEnd(key.to + 1);
      boolean comma = end < tokens.size() && tokens.get(end).equals(",");
      tokens.subList(key.from, comma ? end + 1 : end).clear();
      if (!comma && key.from > 0 && tokens.get(key.from - 1).equals(",")) {
        tokens.remove(key.from - 1);
      }
    }
  }

  private void wrap(Span value) {
    if (value.from < value.to) {
      int depth = 1 + random.nextInt(random.nextBoolean() ? 3 : 300);
      boolean array = random.nextBoolean();
      tokens.add(value.to, (array ? "]" : "}").repeat(depth));
      tokens.add(value.from, (array ? "[" : "{\"k\":").repeat(depth));
    }
  }

  private Span anyValue() {
    if (tokens.isEmpty()) {
      return new Span(0, 0);
    }
    int at = random.nextInt(tokens.size());
    if (tokens.get(at).matches("[}\\]:,]")) {
      return anyScalar();
    }
    return isKey(at) ? new Span(at + 2, valueEnd(at + 2)) : new Span(at, valueEnd(at));
  }

  private Span anyScalar() {
    return one(at -> !isKey(at) && !tokens.get(at).matches("[{}\\[\\]:,]"));
  }

  private Span anyKey() {
    return one(this::isKey);
  }

  /** A string that the document has somewhere. */
  private String anyText() {
    Span text = one(at -> tokens.get(at).startsWith("\""));
    return text.from < text.to ? tokens.get(text.from) : "\"\"";
  }

  private Span one(java.util.function.IntPredicate wanted) {
    int start = tokens.isEmpty() ? 0 : random.nextInt(tokens.size());
    for (int i = 0; i < tokens.size(); i++) {
      int at = (start + i) % tokens.size();
      if (wanted.test(at)) {
        return new Span(at, at + 1);
      }
    }
    return new Span(0, 0);
  }

  private boolean isKey(int at) {
    return at + 1 < tokens.size() && tokens.get(at + 1).equals(":");
  }

  /** Behind the value that begins at a token. */
  private int valueEnd(int from) {
    int depth = 0;
    for (int at = from; at < tokens.size(); at++) {
      String token = tokens.get(at);
      depth += token.equals("{") || token.equals("[") ? 1 : 0;
      depth -= token.equals("}") || token.equals("]") ? 1 : 0;
      if (depth <= 0) {
        return at + 1;
      }
    }
    return tokens.size();
  }

  private <T> T pick(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
