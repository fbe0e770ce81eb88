package io.shardpress.operators.linalg;

import io.shardpress.common.error.EnvironmentException;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The provider that this JVM computes with, chosen once at first use: oneDNN, or OpenBLAS where
 * that does not load, or else plain Java. The system property {@value #PROPERTY} ({@code auto},
 * {@code onednn}, {@code openblas}, {@code java}) forces one, and then fails instead of falling
 * back.
 */
public final class Kernels {
  public static final String PROPERTY = "shardpress.kernels";

  private Kernels() {}

  /** Provider, version, instruction set and threads per call, for run records and doctor. */
  public static String description() {
    return chosen().description();
  }

  /** Whether products of BF16 operands are faster here than of F32; they work anywhere. */
  public static boolean multiplyBf16() {
    return chosen().multipliesBf16();
  }

  static MatrixKernels chosen() {
    return Holder.CHOSEN.kernels().orElseThrow(() -> Holder.CHOSEN.refusal().orElseThrow());
  }

  static MatrixKernels choose(String wanted) {
    return switch (wanted) {
      case "java" -> new JavaKernels();
      case "openblas" -> load("OpenBLAS", OpenBlasKernels::new);
      case "onednn" -> load("oneDNN", OneDnnKernels::new);
      case "auto" -> {
        try {
          yield load("oneDNN", OneDnnKernels::new);
        } catch (EnvironmentException e) {
          logger().warn("{} Falling back to OpenBLAS.", e.getMessage());
        }
        try {
          yield load("OpenBLAS", OpenBlasKernels::new);
        } catch (EnvironmentException e) {
          logger().warn("{} Falling back to plain Java, which is far slower.", e.getMessage());
          yield new JavaKernels();
        }
      }
      default ->
          throw new EnvironmentException(
              "Unknown value '%s' of -D%s. Use auto, onednn, openblas or java."
                  .formatted(wanted, PROPERTY));
    };
  }

  static MatrixKernels load(String provider, Supplier<MatrixKernels> constructor) {
    try {
      return constructor.get();
    } catch (LinkageError e) {
      throw new EnvironmentException(
          "%s cannot be loaded: %s. Check that the native cache directory (-Dorg.bytedeco.javacpp.cachedir) is writable, has space, and is not shared by processes of different versions; or run with another provider: -D%s=java."
              .formatted(provider, e.getMessage(), PROPERTY),
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
