package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Every algorithm there is: its name in recipes and the record that its section binds to. */
public enum Algorithm {
  RTN(Rtn.class),
  GPTQ(Gptq.class),
  MAGNITUDE(Magnitude.class),
  WANDA(Wanda.class),
  SPARSEGPT(SparseGpt.class),
  REFIT(Refit.class);

  private final Class<? extends Settings> settings;

  Algorithm(Class<? extends Settings> settings) {
    this.settings = settings;
  }

  /** The name in recipes and reports. */
  public String key() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The record that the algorithm's section of a recipe is bound to. */
  public Class<? extends Settings> settings() {
    return settings;
  }

  /** The algorithm that {@code settings} belong to. */
  public static Algorithm of(Settings settings) {
    return Arrays.stream(values())
        .filter(algorithm -> algorithm.settings.isInstance(settings))
        .findFirst()
        .orElseThrow();
  }

  /** The algorithm with this {@link #key}. */
  public static Algorithm named(String key) {
    return Arrays.stream(values())
        .filter(algorithm -> algorithm.key().equals(key))
        .findFirst()
        .orElseThrow(
            () ->
                new InputException(
                    "There is no algorithm '%s'. Choose one of %s."
                        .formatted(
                            key,
                            Arrays.stream(values())
                                .map(Algorithm::key)
                                .collect(Collectors.joining(", ")))));
  }
}
