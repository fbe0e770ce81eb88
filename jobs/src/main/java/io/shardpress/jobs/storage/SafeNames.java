package io.shardpress.jobs.storage;

import io.shardpress.common.storage.SafeFileName;
import java.nio.charset.StandardCharsets;

/** File names for what is called after modules and inputs, whose names a checkpoint chooses. */
public final class SafeNames {
  private static final int LONGEST = 160;

  private SafeNames() {}

  /**
   * A plain file name for {@code name}: itself where it is one, else its harmless characters and a
   * hash, so that different names stay different.
   */
  public static String of(String name) {
    if (name.length() <= LONGEST && SafeFileName.isSafe(name) && !name.contains("~")) {
      return name;
    }
    String shown = name.replaceAll("[^A-Za-z0-9._-]", "_");
    String start = shown.substring(0, Math.min(LONGEST, shown.length()));
    return "x%s~%s".formatted(start, hash(name));
  }

  private static String hash(String name) {
    return Sha256.of(name.getBytes(StandardCharsets.UTF_8)).substring(0, 32);
  }
}
