package io.shardpress.jobs.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.Natives;
import io.shardpress.operators.linalg.Products;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Libraries load once per process, and badly only once: each case is a process of its own. */
class NativeLibrariesTest {
  @TempDir private static Path folder;
  private static Path unpacked;
  private static List<Ended> first;

  private record Ended(int code, String output) {}

  /** Computes with the kernels named, and prints with which, or why not. */
  public static void main(String[] choice) {
    try {
      Kernels.Computed<Float> sum =
          Kernels.with(KernelChoice.valueOf(choice[0]), NativeLibrariesTest::sumOfSquares);
      System.out.println("computed %.0f with %s".formatted(sum.value(), sum.kernels().get()));
    } catch (EnvironmentException e) {
      System.out.println("refused: " + e.getMessage());
    }
  }

  private static float sumOfSquares() {
    Kernels.multiplyBf16(); // the first thing to load, so that what fails is told as a choice
    try (INDArray x = Floats.vector(1, 2, 3);
        INDArray product = Products.timesTransposed(x, x)) {
      return Floats.toArray(product)[0];
    }
  }

  @BeforeAll
  static void two_processes_unpack_into_one_empty_folder_at_once() throws Exception {
    unpacked = folder.resolve("unpacked");
    Process one = start(unpacked, "ONEDNN", folder.resolve("one"));
    Process other = start(unpacked, "ONEDNN", folder.resolve("other"));
    first = List.of(end(one, folder.resolve("one")), end(other, folder.resolve("other")));
  }

  @Test
  void processes_that_unpack_at_once_do_not_harm_each_other() {
    assertThat(first)
        .allSatisfy(
            ended -> {
              assertThat(ended.code()).as(ended.output()).isZero();
              assertThat(ended.output()).contains("computed 14 with oneDNN ");
            });
  }

  @Test
  void a_library_that_is_damaged_is_told_and_the_next_provider_computes() throws Exception {
    Ended ended = run(damaged("libdnnl"), "AUTO");

    assertThat(ended.code()).as(ended.output()).isZero();
    assertThat(ended.output())
        .contains("WARN Kernels: oneDNN cannot be loaded: ", "libdnnl", "invalid ELF header")
        .contains("delete it if it may be damaged")
        .contains("Falling back to OpenBLAS, which is slower.")
        .contains("computed 14 with OpenBLAS ");
  }

  @Test
  void a_provider_that_is_asked_for_is_not_replaced() throws Exception {
    Ended ended = run(damaged("libdnnl"), "ONEDNN");

    assertThat(ended.output())
        .contains("refused: oneDNN cannot be loaded: ", "libdnnl", "invalid ELF header")
        .contains("(-Dorg.bytedeco.javacpp.cachedir)")
        .doesNotContain("Falling back", "computed");
  }

  @Test
  void without_arrays_nothing_computes_and_one_reason_is_given() throws Exception {
    Ended ended = run(damaged("libnd4jcpu"), "AUTO");

    assertThat(ended.output())
        .contains("refused: ND4J, with whose arrays all kernels work, cannot be loaded: ")
        .contains("libnd4jcpu", "invalid ELF header")
        .doesNotContain("Falling back", "computed");
  }

  /** A copy of what was unpacked with one library overwritten, of the same size and time. */
  private static Path damaged(String library) throws IOException {
    Path copy = Files.createTempDirectory(folder, "damaged");
    int overwritten = 0;
    try (Stream<Path> files = Files.walk(unpacked)) {
      for (Path file : files.filter(f -> !Files.isDirectory(f)).toList()) {
        Path target = copy.resolve(unpacked.relativize(file).toString());
        Files.createDirectories(target.getParent());
        if (Files.isSymbolicLink(file)) {
          continue; // JavaCPP links again
        }
        if (file.getFileName().toString().matches(library + "\\.(so|dylib).*")) {
          overwrite(file, target);
          overwritten++;
        } else {
          Files.createLink(target, file);
        }
      }
    }
    assertThat(overwritten).as("files of " + library).isPositive();
    return copy;
  }

  private static void overwrite(Path file, Path target) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    Files.write(target, new byte[(int) Files.size(file)]);
    Files.setLastModifiedTime(target, time);
  }

  private static Ended run(Path cache, String choice) throws IOException, InterruptedException {
    Path output = cache.resolve("output.txt");
    return end(start(cache, choice, output), output);
  }

  private static Process start(Path cache, String choice, Path output) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-D" + Natives.CACHE_DIRECTORY + "=" + cache);
    command.add("-Dlog4j2.configurationFile=" + Path.of("../conf/log4j2.properties"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(NativeLibrariesTest.class.getName(), choice));
    File file = output.toFile();
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(file).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Ended end(Process process, Path output) throws IOException, InterruptedException {
    int code = process.waitFor();
    return new Ended(code, Files.readString(output, StandardCharsets.UTF_8));
  }
}
