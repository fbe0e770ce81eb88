package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.spark.MemoryUsed.Process;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryUsedTest {
  @TempDir private Path folder;

  @Test
  void keepsTheLargestOfEachProcess() {
    MemoryUsed used = new MemoryUsed();
    used.report(new ProcessMemory("2", 100, 1000, 50));
    used.report(new ProcessMemory("1", 300, 1000, 70));
    used.report(new ProcessMemory("1", 200, 1000, 60));
    used.report(new ProcessMemory("2", 100, 1000, 80));

    assertThat(used.processes())
        .containsEntry("1", new Process(300, 1000, Optional.of(70L)))
        .containsEntry("2", new Process(100, 1000, Optional.of(80L)))
        .hasSize(2);
  }

  @Test
  void leavesOutWhatTheSystemDoesNotSay() {
    MemoryUsed used = new MemoryUsed();
    used.report(new ProcessMemory("1", 100, 1000, 0));
    assertThat(used.processes().get("1").peakResidentBytes()).isEmpty();
  }

  @Test
  void readsTheHighWaterMarkOfLinux() throws IOException {
    Path status =
        Files.writeString(folder.resolve("status"), "VmPeak:\t 9 kB\nVmHWM:\t    1848 kB\n");
    assertThat(ProcessMemory.peak(status)).isEqualTo(1848 * 1024);
    assertThat(ProcessMemory.peak(Files.writeString(status, "Name: x\n"))).isZero();
    assertThat(ProcessMemory.peak(folder.resolve("none"))).isZero();
  }
}
