package io.shardpress.integration;

import java.nio.file.Path;

/** The repository that is tested. */
public final class Home {
  private Home() {}

  public static Path root() {
    return Path.of(System.getProperty("shardpress.home", "..")).toAbsolutePath().normalize();
  }

  /** The checkpoint that ships with the repository, with its texts. */
  public static Path quickstart() {
    return root().resolve("conf/quickstart");
  }
}
