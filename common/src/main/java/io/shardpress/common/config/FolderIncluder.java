package io.shardpress.common.config;

import com.typesafe.config.ConfigIncludeContext;
import com.typesafe.config.ConfigIncluder;
import com.typesafe.config.ConfigIncluderClasspath;
import com.typesafe.config.ConfigIncluderFile;
import com.typesafe.config.ConfigIncluderURL;
import com.typesafe.config.ConfigObject;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.Store;
import java.io.File;
import java.net.URL;
import java.util.List;

/**
 * Includes from the recipe's own folder and the folders below it, and from nowhere else: a recipe
 * from a stranger must not read files of the machine or of the network.
 *
 * @param open the documents that led here, outermost first; including one again would never end
 * @param budget shared by all documents of one recipe
 */
record FolderIncluder(Store store, Location folder, List<Location> open, IncludeBudget budget)
    implements ConfigIncluder, ConfigIncluderFile, ConfigIncluderURL, ConfigIncluderClasspath {

  @Override
  public ConfigIncluder withFallback(ConfigIncluder fallback) {
    return this;
  }

  @Override
  public ConfigObject include(ConfigIncludeContext context, String what) {
    Location file = folder;
    for (String segment : what.split("/", -1)) {
      if (!SafeFileName.isSafe(segment)) {
        throw refused(what);
      }
      file = file.child(segment);
    }
    if (!store.resolve(file).isWithin(store.resolve(folder))) {
      throw refused(what);
    }
    if (open.contains(file)) {
      throw new InputException(
          "%s includes itself, directly or through other files. Remove one of the includes."
              .formatted(file));
    }
    return Hocon.read(store, file, open, budget).root();
  }

  @Override
  public ConfigObject includeFile(ConfigIncludeContext context, File what) {
    throw refused("file(" + what + ")");
  }

  @Override
  public ConfigObject includeURL(ConfigIncludeContext context, URL what) {
    throw refused("url(" + what + ")");
  }

  @Override
  public ConfigObject includeResources(ConfigIncludeContext context, String what) {
    throw refused("classpath(" + what + ")");
  }

  private InputException refused(String what) {
    return new InputException(
        "The include '%s' is refused: a recipe includes only files of its own folder, %s, by relative name. Copy the file there and include it as \"name.conf\"."
            .formatted(Printable.excerpt(what), folder));
  }
}
