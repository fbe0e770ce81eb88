package io.shardpress.jobs.run;

import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Kernels;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The versions that decide what a run's bytes are. */
public final class Versions {
  private static final String REVISION = "/shardpress/revision";

  private Versions() {}

  /** Version of Shardpress itself. */
  public static String shardpress() {
    return Optional.ofNullable(Versions.class.getPackage().getImplementationVersion())
        .orElse("development");
  }

  /** The revision of the code: a hash over its sources, taken when it was built. */
  public static String revision() {
    try (InputStream in = Versions.class.getResourceAsStream(REVISION)) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks " + REVISION);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** In the order a reader wants them. Loads the numeric kernels chosen. */
  public static Map<String, String> all(KernelChoice choice) {
    Map<String, String> versions = software();
    versions.put("kernels", Kernels.description(choice));
    versions.put("processor", System.getProperty("os.arch") + ", " + System.getProperty("os.name"));
    return versions;
  }

  /** Those that are known without loading anything. */
  public static Map<String, String> software() {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("shardpress", shardpress());
    versions.put("revision", revision().substring(0, 12));
    versions.put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION());
    versions.put("scala", scala.util.Properties.versionNumberString());
    versions.put("java", System.getProperty("java.version"));
    return versions;
  }
}
