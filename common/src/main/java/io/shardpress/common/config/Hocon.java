package io.shardpress.common.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads HOCON documents from storage, unresolved, so that they can be layered first. */
public final class Hocon {
  private static final long LARGEST = 1 << 20;

  private Hocon() {}

  /**
   * A document of at most 1 MiB. Includes must be plain file names or relative paths that stay in
   * the document's folder.
   */
  public static Config read(Store store, Location file) {
    return read(store, file, List.of());
  }

  static Config read(Store store, Location file, List<Location> open) {
    List<Location> chain = new ArrayList<>(open);
    chain.add(file);
    String text = new String(store.readAll(file, LARGEST), StandardCharsets.UTF_8);
    return parse(
        text,
        file.toString().replaceFirst("^file://", ""),
        new FolderIncluder(store, file.parent(), List.copyOf(chain)));
  }

  /** A document at hand, which may not include others; {@code origin} names it in messages. */
  public static Config parse(String text, String origin) {
    return parse(text, origin, new NoIncludes(origin));
  }

  private static Config parse(
      String text, String origin, com.typesafe.config.ConfigIncluder includer) {
    ConfigParseOptions options =
        ConfigParseOptions.defaults()
            .setSyntax(ConfigSyntax.CONF)
            .setOriginDescription(origin)
            .setIncluder(includer);
    try {
      return ConfigFactory.parseString(text, options);
    } catch (ConfigException e) {
      throw new InputException(
          "%s is not valid HOCON: %s. Correct it.".formatted(origin, e.getMessage()), e);
    }
  }

  /** Replaces substitutions; only this document and environment variables are looked at. */
  public static Config resolve(Config config) {
    try {
      return config.resolve();
    } catch (ConfigException e) {
      throw new InputException(
          "A substitution cannot be resolved: %s. Define the value, set the environment variable, or write ${?NAME} where it may be absent."
              .formatted(e.getMessage()),
          e);
    }
  }
}
