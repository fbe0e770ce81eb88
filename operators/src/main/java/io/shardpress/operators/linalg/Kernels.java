package io.shardpress.operators.linalg;

import io.shardpress.common.error.EnvironmentException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The provider that this JVM computes with, chosen once at first use: OpenBLAS, or plain Java where
 * it does not load. The system property {@value #PROPERTY} ({@code auto}, {@code openblas}, {@code
 * java}) forces one, and then fails instead of falling back.
 */
public final class Kernels {
  public static final String PROPERTY = "shardpress.kernels";

  private Kernels() {}

  /** Provider, version and threads per task, for run records and {@code doctor}. */
  public static String description() {
    return chosen().description();
  }

  static MatrixKernels chosen() {
    return Holder.CHOSEN.kernels().orElseThrow(() -> Holder.CHOSEN.refusal().orElseThrow());
  }

  static MatrixKernels choose(String wanted) {
    return switch (wanted) {
      case "java" -> new JavaKernels();
      case "openblas" -> loadOpenBlas();
      case "auto" -> {
        try {
          yield loadOpenBlas();
        } catch (EnvironmentException e) {
          logger().warn("{} Falling back to plain Java, which is far slower.", e.getMessage());
          yield new JavaKernels();
        }
      }
      default ->
          throw new EnvironmentException(
              "Unknown value '%s' of -D%s. Use auto, openblas or java."
                  .formatted(wanted, PROPERTY));
    };
  }

  private static MatrixKernels loadOpenBlas() {
    try {
      return new OpenBlasKernels();
    } catch (LinkageError e) {
      throw new EnvironmentException(
          "OpenBLAS cannot be loaded: %s. Check that the native cache directory (-Dorg.bytedeco.javacpp.cachedir) is writable, has space, and is not shared by processes of different versions; or run with -D%s=java."
              .formatted(e.getMessage(), PROPERTY),
          e);
    }
  }

  private static Logger logger() {
    return LoggerFactory.getLogger(Kernels.class);
  }

  /**
   * The kernels, or why there are none: a class that failed to initialize could not say it twice.
   */
  record Choice(Optional<MatrixKernels> kernels, Optional<EnvironmentException> refusal) {
    static Choice of(String wanted) {
      try {
        return new Choice(Optional.of(choose(wanted)), Optional.empty());
      } catch (EnvironmentException e) {
        return new Choice(Optional.empty(), Optional.of(e));
      }
    }
  }

  private static final class Holder {
    static final Choice CHOSEN = Choice.of(System.getProperty(PROPERTY, "auto"));
  }
}
