package io.shardpress.operators.linalg;

import io.shardpress.common.error.EnvironmentException;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The provider that the current work computes with: the one that {@link #with} names, else what
 * {@link KernelChoice#AUTO} stands for. Every provider is loaded once per process, at its first
 * use.
 */
public final class Kernels {
  private static final ThreadLocal<Scope> CURRENT =
      ThreadLocal.withInitial(() -> new Scope(KernelChoice.AUTO));

  private Kernels() {}

  /**
   * What a piece of work returned, and the description of the kernels that it computed with, if it
   * did.
   */
  public record Computed<T>(T value, Optional<String> kernels) {}

  /**
   * Whether a provider loads in this process.
   *
   * @param text its description, or why it does not load and what to do
   */
  public record Trial(KernelChoice provider, boolean loads, String text) {}

  /**
   * Runs {@code work} with the kernels chosen, on this thread and its {@link Workers}.
   *
   * @throws EnvironmentException at the first computation, when the provider does not load
   */
  public static <T> Computed<T> with(KernelChoice choice, Supplier<T> work) {
    Scope scope = new Scope(choice);
    T value = within(scope, work);
    return new Computed<>(value, scope.used());
  }

  /**
   * Provider, version, instruction set and threads per call, for run records and doctor.
   *
   * @throws EnvironmentException when the provider does not load
   */
  public static String description(KernelChoice choice) {
    return Providers.load(choice).description();
  }

  /** Begins to load a provider, which takes half a second; whether it does, its first use says. */
  public static void loadAhead(KernelChoice choice) {
    Thread loading = new Thread(() -> Providers.attempt(choice), "load-kernels");
    loading.setDaemon(true);
    loading.start();
  }

  /** Loads every provider in turn, which takes seconds and stays. */
  public static List<Trial> trials() {
    return Stream.of(KernelChoice.ONEDNN, KernelChoice.OPENBLAS, KernelChoice.JAVA)
        .map(
            choice -> {
              try {
                return new Trial(choice, true, description(choice));
              } catch (EnvironmentException e) {
                return new Trial(choice, false, e.getMessage());
              }
            })
        .toList();
  }

  /** Whether products of BF16 operands are faster here than of F32; they work anywhere. */
  public static boolean multiplyBf16() {
    return chosen().multipliesBf16();
  }

  static MatrixKernels chosen() {
    return CURRENT.get().kernels();
  }

  /** What the current work computes with, for threads that help it. */
  static Scope scope() {
    return CURRENT.get();
  }

  static <T> T within(Scope scope, Supplier<T> work) {
    Scope before = CURRENT.get();
    CURRENT.set(scope);
    try {
      return work.get();
    } finally {
      CURRENT.set(before);
    }
  }

  /** A choice, and what it came to: work that never computes loads nothing. */
  static final class Scope {
    private final KernelChoice choice;
    private volatile Optional<MatrixKernels> kernels = Optional.empty();

    Scope(KernelChoice choice) {
      this.choice = choice;
    }

    MatrixKernels kernels() {
      if (kernels.isEmpty()) {
        kernels = Optional.of(Providers.load(choice));
      }
      return kernels.get();
    }

    Optional<String> used() {
      return kernels.map(MatrixKernels::description);
    }
  }
}
