package io.shardpress.jobs.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * Writes the JVM options that Spark itself passes to its processes, as an argument file for the
 * {@code java} command, so that the launcher and the tests start with the same list and not a copy.
 */
public final class JvmOptions {
  private JvmOptions() {}

  /** Takes the file to write. */
  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[0]);
    List<String> options =
        Stream.of(JavaModuleOptions.defaultModuleOptionArray())
            // Only MLlib's BLAS wants the incubating module, and Java warns of it at every start.
            .filter(option -> !option.contains("jdk.incubator.vector"))
            .toList();
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, options);
  }
}
