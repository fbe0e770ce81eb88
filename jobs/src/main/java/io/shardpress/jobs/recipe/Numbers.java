package io.shardpress.jobs.recipe;

import io.shardpress.common.error.InputException;

/** Ranges of settings. */
final class Numbers {
  private Numbers() {}

  static void positive(String key, int value) {
    if (value < 1) {
      throw new InputException("%s = %d: set it to 1 or more.".formatted(key, value));
    }
  }
}
