package io.shardpress.jobs.run;

import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Kernels;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The versions that decide what a run's bytes are. */
public final class Versions {
  private Versions() {}

  /** Version of Shardpress itself. */
  public static String shardpress() {
    return Optional.ofNullable(Versions.class.getPackage().getImplementationVersion())
        .orElse("development");
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
    versions.put("spark", org.apache.spark.package$.MODULE$.SPARK_VERSION());
    versions.put("scala", scala.util.Properties.versionNumberString());
    versions.put("java", System.getProperty("java.version"));
    return versions;
  }
}
