package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KernelsUsedTest {
  private final KernelsUsed used = new KernelsUsed();

  @Test
  void knowsTheHostsOfEachKind() {
    used.report("oneDNN", "b");
    used.report("oneDNN", "a");
    used.report("oneDNN", "a");

    assertThat(used.hosts()).hasSize(1);
    assertThat(used.hosts().get("oneDNN")).containsExactly("a", "b");
    assertThat(used.warnings()).isEmpty();
  }

  @Test
  void warnsOnceOfEachOtherKind() {
    used.report("oneDNN 3.11.0 (AMX BF16)", "driver");
    used.report("OpenBLAS 0.3.31", "old-1");
    used.report("OpenBLAS 0.3.31", "old-2");
    used.report("oneDNN 3.11.0 (AVX2)", "old-3");

    assertThat(used.hosts().get("OpenBLAS 0.3.31")).containsExactly("old-1", "old-2");
    assertThat(used.warnings())
        .hasSize(2)
        .first()
        .asString()
        .startsWith(
            "Hosts compute with different kernels: driver with oneDNN 3.11.0 (AMX BF16); old-1"
                + " with OpenBLAS 0.3.31. ")
        .contains("run.kernels");
  }
}
