package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.Kernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the figures were taken on. */
final class Machine {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

  private Machine() {}

  /** A Markdown list: processor, cores, Java, kernels. */
  static String description() {
    return """
    - %s, %d cores
    - Java %s
    - %s
    """
        .formatted(
            processor(),
            Cores.count(),
            System.getProperty("java.runtime.version"),
            Kernels.description());
  }

  private static String processor() {
    try {
      return Files.isReadable(PROCESSORS)
          ? processor(Files.readAllLines(PROCESSORS))
          : System.getProperty("os.arch");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The model's name in the lines of Linux's {@code /proc/cpuinfo}, or the architecture. */
  static String processor(List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }
}
