package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.operators.linalg.Kernels.Computed;
import io.shardpress.operators.linalg.Kernels.Trial;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class KernelsInUseTest {

  @Test
  void workComputesWithTheKernelsChosenForIt() {
    MatrixKernels before = Kernels.chosen();

    assertThat(Kernels.with(KernelChoice.OPENBLAS, Kernels::chosen).value())
        .isInstanceOf(OpenBlasKernels.class);
    assertThat(Kernels.with(KernelChoice.JAVA, Kernels::chosen).value())
        .isInstanceOf(JavaKernels.class);
    assertThat(Kernels.chosen()).as("afterwards").isSameAs(before);
  }

  @Test
  void soDoTheThreadsThatHelpIt() {
    ConcurrentLinkedQueue<MatrixKernels> used = new ConcurrentLinkedQueue<>();
    CountDownLatch both = new CountDownLatch(2); // so that no thread takes both parts
    Kernels.with(
        KernelChoice.JAVA,
        () ->
            Workers.on(
                2,
                () -> {
                  Workers.forEach(
                      2,
                      part -> {
                        used.add(Kernels.chosen());
                        both.countDown();
                        awaitZero(both);
                      });
                  return null;
                }));

    assertThat(used).hasSize(2).hasOnlyElementsOfType(JavaKernels.class);
  }

  @Test
  void workThatDoesNotComputeUsesNoKernels() {
    Computed<Integer> none = Kernels.with(KernelChoice.JAVA, () -> 3);
    assertThat(none.value()).isEqualTo(3);
    assertThat(none.kernels()).isEmpty();

    assertThat(Kernels.with(KernelChoice.JAVA, Kernels::chosen).kernels())
        .contains("java loops, 1 thread per call");
  }

  @Test
  void describesProviderVersionInstructionSetAndThreads() {
    assertThat(Kernels.description(KernelChoice.ONEDNN))
        .matches(
            "oneDNN \\d+\\.\\d+\\.\\d+ \\(.+\\), 1 thread per call; LAPACK from OpenBLAS"
                + " \\d+\\.\\d+\\.\\d+ \\(.+\\), 1 thread per call");
    assertThat(Kernels.trials())
        .extracting(Trial::provider)
        .isEqualTo(List.of(KernelChoice.ONEDNN, KernelChoice.OPENBLAS, KernelChoice.JAVA));
    assertThat(Kernels.trials()).allMatch(Trial::loads);
  }

  private static void awaitZero(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
