package io.shardpress.operators.linalg;

import io.shardpress.common.error.EnvironmentException;
import java.util.Locale;

/** Which provider computes. A provider that is named is used or fails; {@link #AUTO} falls back. */
public enum KernelChoice {
  /** The one that the system property names, else the first of the others that loads. */
  AUTO,
  ONEDNN,
  OPENBLAS,
  /** Plain Java loops, for comparison. The arrays that they work on are native all the same. */
  JAVA;

  /** The system property that decides for {@link #AUTO}. */
  public static final String PROPERTY = "shardpress.kernels";

  /**
   * What this choice stands for in this process.
   *
   * @return this, or what the property says in the place of {@link #AUTO}
   * @throws EnvironmentException when the property has another value than the names here
   */
  public KernelChoice resolved() {
    return this == AUTO ? of(System.getProperty(PROPERTY, "auto")) : this;
  }

  static KernelChoice of(String name) {
    for (KernelChoice choice : values()) {
      if (choice.text().equals(name)) {
        return choice;
      }
    }
    throw new EnvironmentException(
        "Unknown value '%s' of -D%s. Use auto, onednn, openblas or java."
            .formatted(name, PROPERTY));
  }

  /** As recipes and the property spell it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
