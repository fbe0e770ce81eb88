package io.shardpress.integration.benchmarks;

import java.util.Arrays;

/** Sizes as parameters of benchmarks write them: {@code 4096x11008}. */
final class Sizes {
  private Sizes() {}

  static int[] parse(String text) {
    return Arrays.stream(text.split("x", -1)).mapToInt(Integer::parseInt).toArray();
  }
}
