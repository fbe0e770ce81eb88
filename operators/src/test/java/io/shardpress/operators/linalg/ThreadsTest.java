package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.openblas.global.openblas;
import org.junit.jupiter.api.Test;

/** Both libraries start once per process, so each case needs a process of its own. */
class ThreadsTest {

  /** Uses the kernels and ND4J in the order given, and prints the threads of OpenBLAS. */
  public static void main(String[] order) {
    for (String first : order) {
      if (first.equals("kernels")) {
        Kernels.chosen();
      } else {
        Floats.zeros(1, 1).close();
      }
    }
    System.out.println("threads " + openblas.blas_get_num_threads());
  }

  @Test
  void products_run_on_one_thread_when_nd4j_starts_after_the_kernels() throws Exception {
    assertThat(outputOf("kernels", "nd4j")).contains("threads 1\n");
  }

  @Test
  void products_run_on_one_thread_when_nd4j_starts_before_the_kernels() throws Exception {
    assertThat(outputOf("nd4j", "kernels")).contains("threads 1\n");
  }

  private static String outputOf(String... order) throws IOException, InterruptedException {
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                ThreadsTest.class.getName()));
    command.addAll(List.of(order));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // Set by Spark on its executors, where it would hide what happens elsewhere.
    builder.environment().remove("OMP_NUM_THREADS");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
