package io.shardpress.common.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads HOCON documents from storage, unresolved, so that they can be layered first. */
public final class Hocon {
  /** Parsing a long value takes time that grows with its square. */
  private static final long LARGEST = 1 << 17;

  private Hocon() {}

  /**
   * A document of at most 128 KiB. Includes must be plain file names or relative paths that stay in
   * the document's folder, and must not add up to more than 1 MiB.
   */
  public static Config read(Store store, Location file) {
    return read(store, file, List.of(), new IncludeBudget());
  }

  static Config read(Store store, Location file, List<Location> open, IncludeBudget budget) {
    List<Location> chain = new ArrayList<>(open);
    chain.add(file);
    byte[] bytes = store.readAll(file, LARGEST);
    budget.spend(file, bytes.length);
    if (!StrictJson.isUtf8(bytes)) {
      throw new InputException(file + " is not UTF-8 text. Save it again as UTF-8.");
    }
    return parse(
        new String(bytes, StandardCharsets.UTF_8),
        file.toString().replaceFirst("^file://", ""),
        new FolderIncluder(store, file.parent(), List.copyOf(chain), budget));
  }

  /** A document at hand, which may not include others; {@code origin} names it in messages. */
  public static Config parse(String text, String origin) {
    return parse(text, origin, new NoIncludes(origin));
  }

  private static Config parse(
      String text, String origin, com.typesafe.config.ConfigIncluder includer) {
    Nesting.check(origin, text);
    ConfigParseOptions options =
        ConfigParseOptions.defaults()
            .setSyntax(ConfigSyntax.CONF)
            .setOriginDescription(origin)
            .setIncluder(includer);
    try {
      return ConfigFactory.parseString(text, options);
    } catch (ConfigException e) {
      throw new InputException(
          "%s is not valid HOCON: %s. Correct it."
              .formatted(origin, Printable.excerpt(String.valueOf(e.getMessage()))),
          e);
    }
  }

  /** Replaces substitutions; only this document and environment variables are looked at. */
  public static Config resolve(Config config) {
    Expansion.check(config);
    try {
      return config.resolve();
    } catch (ConfigException e) {
      throw new InputException(
          "A substitution cannot be resolved: %s. Define the value, set the environment variable, or write ${?NAME} where it may be absent."
              .formatted(Printable.excerpt(String.valueOf(e.getMessage()))),
          e);
    }
  }
}
