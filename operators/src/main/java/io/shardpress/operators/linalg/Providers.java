package io.shardpress.operators.linalg;

import io.shardpress.common.error.EnvironmentException;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Loader;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/** Loads providers, each once per process, and keeps why one cannot be loaded. */
final class Providers {
  private Providers() {}

  static MatrixKernels load(KernelChoice choice) {
    return attempt(choice).orThrow();
  }

  /** Loads a provider or finds out why it does not load. */
  static Attempt attempt(KernelChoice choice) {
    return switch (choice.resolved()) {
      case AUTO -> Automatic.ATTEMPT;
      case ONEDNN -> OneDnn.ATTEMPT;
      case OPENBLAS -> OpenBlas.ATTEMPT;
      case JAVA -> Java.ATTEMPT;
    };
  }

  /** The first that loads, saying of each before it why it does not. */
  private static Attempt automatic() {
    if (!OneDnn.ATTEMPT.failed()) {
      return OneDnn.ATTEMPT;
    }
    if (!OpenBlas.ATTEMPT.failed()) {
      warn("{} Falling back to OpenBLAS, which is slower.", OneDnn.ATTEMPT);
      return OpenBlas.ATTEMPT;
    }
    if (!Java.ATTEMPT.failed()) {
      warn("{} Falling back to plain Java, which is far slower.", OpenBlas.ATTEMPT);
    }
    return Java.ATTEMPT;
  }

  private static void warn(String message, Attempt failed) {
    LoggerFactory.getLogger(Kernels.class).warn(message, failed.reason());
  }

  /**
   * The kernels, or why there are none: a class that failed to initialize could not say it twice.
   */
  record Attempt(Optional<MatrixKernels> kernels, String reason, Optional<Throwable> cause) {

    /** Arrays come first: what keeps them from loading is what is wrong with all providers. */
    static Attempt onArrays(String provider, Supplier<MatrixKernels> constructor) {
      return Java.ATTEMPT.failed() ? Java.ATTEMPT : of(provider, constructor);
    }

    static Attempt of(String provider, Supplier<MatrixKernels> constructor) {
      try {
        return new Attempt(Optional.of(constructor.get()), "", Optional.empty());
      } catch (LinkageError | RuntimeException e) {
        return new Attempt(
            Optional.empty(),
            "%s cannot be loaded: %s. %s".formatted(provider, root(e), remedy()),
            Optional.of(e));
      }
    }

    boolean failed() {
      return kernels.isEmpty();
    }

    MatrixKernels orThrow() {
      return kernels.orElseThrow(() -> new EnvironmentException(reason, cause.orElse(null)));
    }
  }

  /** Loaders wrap the message that tells something into several that do not. */
  private static String root(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root instanceof UnsatisfiedLinkError ? root.getMessage() : root.toString();
  }

  private static String remedy() {
    return "Native libraries are unpacked into %s (-D%s): delete it if it may be damaged; it must be writable, have 600 MB of space and not be mounted noexec; and Shardpress must have been built for this platform, %s."
        .formatted(Natives.cacheDirectory(), Natives.CACHE_DIRECTORY, Loader.getPlatform());
  }

  private static MatrixKernels java() {
    Nd4j.factory(); // loads what arrays need
    return new JavaKernels();
  }

  private static final class OneDnn {
    static final Attempt ATTEMPT = Attempt.onArrays("oneDNN", OneDnnKernels::new);
  }

  private static final class OpenBlas {
    static final Attempt ATTEMPT = Attempt.onArrays("OpenBLAS", OpenBlasKernels::new);
  }

  private static final class Java {
    static final Attempt ATTEMPT =
        Attempt.of("ND4J, with whose arrays all kernels work,", Providers::java);
  }

  private static final class Automatic {
    static final Attempt ATTEMPT = automatic();
  }
}
