package io.shardpress.common.config;

import com.typesafe.config.ConfigIncludeContext;
import com.typesafe.config.ConfigIncluder;
import com.typesafe.config.ConfigObject;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;

/** For documents that have no folder to include from. */
record NoIncludes(String origin) implements ConfigIncluder {

  @Override
  public ConfigIncluder withFallback(ConfigIncluder fallback) {
    return this;
  }

  @Override
  public ConfigObject include(ConfigIncludeContext context, String what) {
    throw new InputException(
        "%s includes '%s', but cannot include files. Put the include into the recipe."
            .formatted(origin, Printable.excerpt(what)));
  }
}
