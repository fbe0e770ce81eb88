package io.shardpress.common.safetensors;

import io.shardpress.common.safetensors.HeaderSeeds.Draft;
import io.shardpress.common.safetensors.HeaderSeeds.Tensor;
import io.shardpress.common.tensor.DType;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Takes a valid file and breaks it in one to three places, knowing its structure: a file that is
 * spoilt at random dies at the length check and teaches nothing.
 */
final class HeaderMutator {
  private static final List<String> NUMBERS =
      List.of(
          "-1",
          "-0",
          "0",
          "1",
          "2",
          "7",
          "8",
          "1.0",
          "1e3",
          "0.5e1",
          "\"1\"",
          "null",
          "true",
          "[]",
          "{}",
          "01",
          "+1",
          "0x10",
          "NaN",
          "Infinity",
          "-",
          "1.",
          "2147483647",
          "2147483648",
          "4294967296",
          "1099511627776",
          "4611686018427387904",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551614",
          "18446744073709551615",
          "18446744073709551616",
          "9".repeat(300),
          "9".repeat(2000));
  private static final List<String> NAMES =
      List.of(
          "",
          "t",
          "a",
          "__metadata__",
          "__metadata_\\u005f",
          "\\u0074",
          "\\ud800",
          "\\udc00x",
          "\\ud83d\\ude00",
          "a\\u0000b",
          "层",
          "../x",
          "dtype",
          "\\",
          "\\x",
          "\\u12",
          "\"",
          "\t",
          "n".repeat(5000));
  private static final List<String> DTYPES =
      List.of(
          "\"Q9\"",
          "\"f32\"",
          "\"\"",
          "F32",
          "null",
          "7",
          "[\"F32\"]",
          "\"F32 \"",
          "\"\\u0046\\u0033\\u0032\"");
  private static final List<String> METADATA =
      List.of(
          "",
          "null",
          "{}",
          "[]",
          "7",
          "\"x\"",
          "{\"a\":\"b\",\"a\":\"c\"}",
          "{\"a\":1}",
          "{\"a\":null}",
          "{\"a\":{}}",
          "{\"a\":\"\\ud800\"}",
          "{\"\\udfff\":\"\"}",
          "{\"a\":\"b\",}",
          "{\"a\":\"\u0001\"}");
  private static final List<String> PADDING =
      List.of(
          "",
          " ",
          "\n\t\r ",
          " ".repeat(4096),
          "\u0000",
          "\uFEFF",
          "\u00A0",
          "x",
          "{}",
          ",",
          "}",
          "//",
          "\f");
  private static final List<byte[]> NOT_UTF8 =
      List.of(
          new byte[] {(byte) 0xFF},
          new byte[] {(byte) 0x80},
          new byte[] {(byte) 0xC0, (byte) 0x80},
          new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80},
          new byte[] {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80},
          new byte[] {(byte) 0xE2, (byte) 0x82});
  private static final String STRUCTURE = "{}[]\",:0123456789-.eE \\u";

  private final Random random;
  private final Draft draft;
  private long lengthChange;
  private int textChanges;
  private int flips;
  private int trailing;
  private boolean truncated;
  private boolean brokenText;

  private HeaderMutator(Random random) {
    this.random = random;
    this.draft = pick(HeaderSeeds.ALL).copy();
  }

  /** The file that a seed leads to. */
  static byte[] file(long seed) {
    HeaderMutator mutator = new HeaderMutator(new Random(seed));
    int changes = mutator.random.nextInt(40) == 0 ? 0 : 1 + mutator.random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      mutator.change();
    }
    return mutator.bytes();
  }

  private byte[] bytes() {
    byte[] json = draft.json().getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < textChanges; i++) {
      json = edited(json);
    }
    if (brokenText) {
      json = inserted(json, random.nextInt(json.length + 1), pick(NOT_UTF8));
    }
    int data = Math.max(0, draft.dataBytes + trailing);
    byte[] file = SafetensorsBytes.file(json.length + lengthChange, json, data);
    for (int i = 0; i < flips; i++) {
      file[random.nextInt(8 + json.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return truncated ? Arrays.copyOf(file, random.nextInt(file.length)) : file;
  }

  private void change() {
    if (draft.tensors.isEmpty()) {
      changeFile(random.nextInt(10));
    } else if (random.nextInt(5) < 2) {
      changeFile(random.nextInt(10));
    } else {
      changeTensor(pick(draft.tensors));
    }
  }

  private void changeFile(int kind) {
    switch (kind) {
      case 0 -> lengthChange = random.nextInt(9) - 4L;
      case 1 -> lengthChange = random.nextBoolean() ? random.nextLong() : 1L << random.nextInt(64);
      case 2 -> truncated = true;
      case 3 -> flips += 1 + random.nextInt(3);
      case 4 -> trailing += random.nextInt(9) - 4;
      case 5 -> brokenText = true;
      case 6 -> draft.before = pick(PADDING);
      case 7 -> draft.after = pick(PADDING);
      case 8 -> draft.metadata = pick(METADATA);
      default -> textChanges++;
    }
  }

  private void changeTensor(Tensor tensor) {
    switch (random.nextInt(13)) {
      case 0 -> tensor.name = pick(NAMES);
      case 1 ->
          tensor.dtype = random.nextBoolean() ? pick(DTYPES) : '"' + pick(types()).name() + '"';
      case 2 -> replaceOne(tensor.shape);
      case 3 -> tensor.shape.add(random.nextInt(tensor.shape.size() + 1), pick(NUMBERS));
      case 4 -> tensor.shape.clear();
      case 5 -> replaceOne(tensor.offsets);
      case 6 -> nudge(tensor.offsets);
      case 7 -> nudge(tensor.shape);
      case 8 -> java.util.Collections.reverse(tensor.offsets);
      case 9 -> changeCount(tensor.offsets);
      case 10 -> draft.tensors.add(random.nextInt(draft.tensors.size() + 1), twin(tensor));
      case 11 -> tensor.more += ",\"" + pick(NAMES) + "\":" + nested();
      default -> draft.tensors.remove(tensor);
    }
  }

  private Tensor twin(Tensor tensor) {
    Tensor twin = tensor.copy();
    if (random.nextBoolean()) { // an empty one would fit, but for its name
      twin.shape.clear();
      twin.shape.add("0");
      twin.offsets.set(0, String.valueOf(draft.dataBytes));
      twin.offsets.set(twin.offsets.size() - 1, String.valueOf(draft.dataBytes));
    }
    if (random.nextInt(3) == 0) {
      twin.name = pick(NAMES);
    }
    return twin;
  }

  private String nested() {
    int depth = random.nextInt(random.nextBoolean() ? 130 : 3000);
    return random.nextBoolean()
        ? "[".repeat(depth) + pick(NUMBERS) + "]".repeat(depth)
        : "{\"k\":".repeat(depth) + pick(NUMBERS) + "}".repeat(depth);
  }

  private void replaceOne(List<String> numbers) {
    if (!numbers.isEmpty()) {
      numbers.set(random.nextInt(numbers.size()), pick(NUMBERS));
    }
  }

  private void nudge(List<String> numbers) {
    if (!numbers.isEmpty()) {
      int at = random.nextInt(numbers.size());
      String number = numbers.get(at);
      if (number.matches("\\d{1,18}")) {
        numbers.set(at, String.valueOf(Long.parseLong(number) + random.nextInt(9) - 4));
      }
    }
  }

  private void changeCount(List<String> offsets) {
    switch (random.nextInt(3)) {
      case 0 -> offsets.add(pick(NUMBERS));
      case 1 -> offsets.remove(offsets.size() - 1);
      default -> offsets.add(offsets.get(0));
    }
    if (offsets.isEmpty()) {
      offsets.add("0");
    }
  }

  /** One character of the text more, less, or another. */
  private byte[] edited(byte[] json) {
    int at = random.nextInt(json.length);
    byte[] one = {(byte) STRUCTURE.charAt(random.nextInt(STRUCTURE.length()))};
    return switch (random.nextInt(3)) {
      case 0 -> inserted(json, at, one);
      case 1 -> inserted(without(json, at), at, one);
      default -> json.length > 1 ? without(json, at) : json;
    };
  }

  private static byte[] inserted(byte[] bytes, int at, byte[] more) {
    ByteArrayOutputStream result = new ByteArrayOutputStream();
    result.write(bytes, 0, at);
    result.writeBytes(more);
    result.write(bytes, at, bytes.length - at);
    return result.toByteArray();
  }

  private static byte[] without(byte[] bytes, int at) {
    ByteArrayOutputStream result = new ByteArrayOutputStream();
    result.write(bytes, 0, at);
    result.write(bytes, at + 1, bytes.length - at - 1);
    return result.toByteArray();
  }

  private static List<DType> types() {
    return List.of(DType.values());
  }

  private <T> T pick(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
