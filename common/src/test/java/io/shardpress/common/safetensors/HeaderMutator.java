package io.shardpress.common.safetensors;

import io.shardpress.common.tensor.DType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Builds a small valid file and breaks it in one to three places, knowing its structure. */
final class HeaderMutator {
  private static final List<String> NUMBERS =
      List.of(
          "-1",
          "-0",
          "0",
          "1",
          "7",
          "1.0",
          "1e3",
          "\"1\"",
          "null",
          "true",
          "[]",
          "{}",
          "01",
          "2147483647",
          "2147483648",
          "4294967296",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551615",
          "18446744073709551616",
          "9".repeat(2000));
  private static final List<DType> TYPES = List.of(DType.values());
  private static final List<String> NAMES =
      List.of("", "t0", "__metadata__", "\\u0074\\u0030", "\\ud800", "a\\u0000b", "层", "../x");

  private final Random random;
  private final List<String[]> tensors = new ArrayList<>(); // name, dtype, shape, begin, end
  private String prefix = "";
  private String suffix = "";
  private String metadata = "\"__metadata__\":{\"format\":\"pt\"}";
  private int dataBytes;
  private long lengthChange;
  private int cut = -1;
  private boolean flip;

  HeaderMutator(Random random) {
    this.random = random;
    int count = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      DType type = pick(TYPES);
      int rows = random.nextInt(3);
      int bytes = rows * 8 * type.bits() / 8;
      String shape = random.nextInt(4) == 0 ? "[%d,8,1]" : "[%d,8]";
      tensors.add(
          new String[] {
            "t" + i,
            '"' + type.name() + '"',
            shape.formatted(rows),
            String.valueOf(dataBytes),
            String.valueOf(dataBytes + bytes)
          });
      dataBytes += bytes;
    }
    int changes = random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      change();
    }
  }

  byte[] file() {
    StringBuilder json = new StringBuilder(prefix).append('{').append(metadata);
    for (String[] t : tensors) {
      json.append(json.charAt(json.length() - 1) == '{' ? "" : ",");
      json.append(
          "\"%s\":{\"dtype\":%s,\"shape\":%s,\"data_offsets\":[%s,%s]}".formatted((Object[]) t));
    }
    byte[] text = json.append('}').append(suffix).toString().getBytes(StandardCharsets.UTF_8);
    byte[] file = SafetensorsBytes.file(text.length + lengthChange, text, Math.max(0, dataBytes));
    for (int i = 0; flip && i < 1 + random.nextInt(3); i++) {
      file[random.nextInt(8 + text.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return cut < 0 ? file : Arrays.copyOf(file, Math.min(file.length, cut));
  }

  private void change() {
    String[] tensor =
        tensors.isEmpty() ? new String[5] : tensors.get(random.nextInt(tensors.size()));
    switch (random.nextInt(15)) {
      case 0 -> lengthChange = random.nextLong(5) - 2;
      case 1 -> lengthChange = random.nextLong();
      case 2 -> cut = random.nextInt(random.nextBoolean() ? 12 : 200);
      case 3 -> flip = true;
      case 4 -> dataBytes += random.nextInt(9) - 4;
      case 5 -> tensor[0] = pick(NAMES);
      case 6 -> tensor[1] = random.nextBoolean() ? '"' + pick(NAMES) + '"' : pick(NUMBERS);
      case 7 -> tensor[1] = '"' + pick(TYPES).name() + '"';
      case 8 -> tensor[2] = "[" + pick(NUMBERS) + "," + pick(NUMBERS) + "]";
      case 9 ->
          tensor[2] = random.nextBoolean() ? pick(NUMBERS) : "[1,%d]".formatted(random.nextInt(9));
      case 10 -> tensor[3] = pick(NUMBERS);
      case 11 -> tensor[4] = pick(NUMBERS);
      case 12 -> tensors.add(tensor[0] == null ? pair() : tensor.clone());
      case 13 -> {
        prefix = pick(List.of("", " ", "\n\t", "\uFEFF", "[", "x"));
        suffix = pick(List.of("", "   ", "\r\n", "}", ",", "x", "\u0000", "{}"));
      }
      default ->
          metadata =
              pick(
                  List.of(
                      "",
                      "\"__metadata__\":null",
                      "\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}",
                      "\"__metadata__\":{\"a\":1}",
                      "\"__metadata__\":" + pick(NUMBERS),
                      "\"x\":" + "[".repeat(300) + "]".repeat(300)));
    }
  }

  private static String[] pair() {
    return new String[] {"p", "\"F4\"", "[3]", "0", "2"};
  }

  private <T> T pick(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
