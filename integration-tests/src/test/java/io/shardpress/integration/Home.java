package io.shardpress.integration;

import java.nio.file.Path;

/** The repository that is tested. */
final class Home {
  private Home() {}

  static Path root() {
    return Path.of(System.getProperty("shardpress.home", "..")).toAbsolutePath().normalize();
  }

  /** The checkpoint that ships with the repository, with its texts. */
  static Path quickstart() {
    return root().resolve("conf/quickstart");
  }
}
