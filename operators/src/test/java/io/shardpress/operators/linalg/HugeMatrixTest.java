package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.operators.linalg.MatrixKernels.Form;
import io.shardpress.operators.linalg.MatrixKernels.Update;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Addresses in matrices of more than 2³¹ elements. Most of their memory is never touched, so that
 * the system never gives it; a process of its own may ask for it.
 */
class HugeMatrixTest {
  /** The Gram of an input of 53,248 channels has more elements than an int counts. */
  private static final int WIDTH = 46_400;

  /** Four rows of so many elements have more than an int counts, but three have not. */
  private static final int LONG_ROW = 700_000_000;

  /** The last of four such rows begins behind 2³¹ elements. */
  private static final int LONGER_ROW = 800_000_000;

  private static final long SEED = 20270117;
  private static final int NO_MEMORY = 3;

  @Test
  void rowsAndBlocksBehindTheIntRangeAreFound() throws Exception {
    assertThat(outputOf("square")).contains("square is right");
  }

  @Test
  void kernelsReachRowsThatLieFarApart() throws Exception {
    assertThat(outputOf("onednn")).contains("700000000: right", "800000000: right");
    assertThat(outputOf("java")).contains("700000000: right", "800000000: right");
  }

  @Test
  void openBlasRefusesWhatItWouldCrashOn() throws Exception {
    assertThat(outputOf("openblas"))
        .contains(
            "700000000: right",
            "800000000: OpenBLAS does not reach over 4 rows that lie 800000000 elements apart");
  }

  private static String outputOf(String what) throws IOException, InterruptedException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-Dorg.bytedeco.javacpp.maxbytes=0",
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=2g",
            "-cp",
            System.getProperty("java.class.path"),
            HugeMatrixTest.class.getName(),
            what);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    Assumptions.assumeTrue(
        code != NO_MEMORY, "this machine does not hand out 13 GB of addresses: " + output);
    assertThat(code).as(output).isZero();
    return output;
  }

  /** The process: one kind of matrix, or a provider by its key. */
  public static void main(String[] what) {
    System.out.println("seed " + SEED);
    try {
      if (what[0].equals("square")) {
        square();
      } else {
        KernelChoice choice = KernelChoice.valueOf(what[0].toUpperCase(Locale.ROOT));
        for (int row : new int[] {LONG_ROW, LONGER_ROW}) {
          System.out.println(row + ": " + Kernels.with(choice, () -> farApart(row)).value());
        }
      }
    } catch (OutOfMemoryError e) {
      System.out.println(e.getMessage());
      System.exit(NO_MEMORY);
    }
  }

  private static void square() {
    int last = WIDTH - 1;
    try (INDArray matrix = Floats.uninitialized(WIDTH, WIDTH)) {
      float[] row = KernelsTest.gaussian(new Random(SEED), WIDTH);
      float[] found = new float[WIDTH];
      Floats.writeRow(matrix, last, row);
      Floats.writeRow(matrix, 0, new float[WIDTH]);
      Floats.readRow(matrix, last, found);
      require(Arrays.equals(found, row), "rows");

      ByteBuffer bytes = Floats.bytes(matrix, last, 1);
      require(bytes.asFloatBuffer().get(last) == row[last], "bytes");
      float[] corner = new float[6];
      Floats.writeBlock(matrix, last - 1, 2, last - 2, 3, new float[] {1, 2, 3, 4, 5, 6});
      Floats.readBlock(matrix, last - 1, 2, last - 2, 3, corner);
      require(Arrays.equals(corner, new float[] {1, 2, 3, 4, 5, 6}), "blocks");
      Floats.read(new Block(matrix, last, 1, last - 2, 3), corner);
      require(corner[0] == 4 && corner[2] == 6, "block rows");

      try (INDArray lower = Floats.of(new float[] {1, 9, 2, 3}, 2, 2)) {
        Triangles.copyReversed(lower, 0, 0, matrix);
      }
      Floats.readBlock(matrix, last - 1, 2, last - 1, 2, corner);
      require(Arrays.equals(Arrays.copyOf(corner, 4), new float[] {3, 2, 5, 1}), "reversed");
    }
    try (INDArray matrix = BFloats.uninitialized(WIDTH, WIDTH)) {
      try (INDArray wide = Floats.of(new float[] {1, 2, 3, 4}, 2, 2)) {
        BFloats.round(Block.all(wide), new Block(matrix, last - 1, 2, last - 1, 2));
      }
      float[] corner = new float[4];
      Floats.readBlock(matrix, last - 1, 2, last - 1, 2, corner);
      require(Arrays.equals(corner, new float[] {1, 2, 3, 4}), "BF16 blocks");
    }
    System.out.println("square is right");
  }

  /** Products of blocks of four rows, compared with those of copies that lie close together. */
  private static String farApart(int longRow) {
    float[] a = KernelsTest.gaussian(new Random(SEED), 4 * 4);
    float[] b = KernelsTest.gaussian(new Random(SEED + 1), 4 * 4);
    try (INDArray left = Floats.of(a, 4, 4);
        INDArray right = Floats.of(b, 4, 4);
        INDArray matrix = Floats.uninitialized(4, longRow)) {
      Block far = new Block(matrix, 0, 4, 16, 4);
      Block other = new Block(matrix, 0, 4, 64, 4);
      Block result = new Block(matrix, 0, 4, longRow - 4, 4);
      Floats.write(a, far);
      Floats.write(b, other);
      for (Form formA : Form.values()) {
        for (Form formB : Form.values()) {
          Products.multiply(formA, far, formB, other, Update.SET, result);
          requireProduct(formA, left, formB, right, result);
        }
      }
      if (Kernels.multiplyBf16()) {
        bf16(left, right, result);
      }
      return "right";
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
  }

  private static void bf16(INDArray left, INDArray right, Block result) {
    try (INDArray matrix = BFloats.uninitialized(4, result.stride());
        INDArray narrowLeft = BFloats.rounded(left);
        INDArray narrowRight = BFloats.rounded(right)) {
      Block far = new Block(matrix, 0, 4, 32, 4);
      Block other = new Block(matrix, 0, 4, result.stride() - 32, 4);
      Block turned = new Block(matrix, 0, 4, 96, 4);
      BFloats.round(Block.all(left), far);
      BFloats.round(Block.all(right), other);
      Products.multiply(Form.PLAIN, far, Form.TRANSPOSED, other, Update.SET, result);
      requireProduct(Form.PLAIN, narrowLeft, Form.TRANSPOSED, narrowRight, result);
      Kernels.chosen().transpose(other, turned);
      Products.multiply(Form.PLAIN, far, Form.PLAIN, turned, Update.SET, result);
      requireProduct(Form.PLAIN, narrowLeft, Form.TRANSPOSED, narrowRight, result);
    }
  }

  private static void requireProduct(
      Form formA, INDArray left, Form formB, INDArray right, Block result) {
    try (INDArray near = Floats.uninitialized(4, 4)) {
      Products.multiply(
          formA, Block.all(left), formB, Block.all(right), Update.SET, Block.all(near));
      float[] expected = Floats.toArray(near);
      float[] found = new float[16];
      Floats.read(result, found);
      for (int i = 0; i < 16; i++) {
        require(
            Math.abs(found[i] - expected[i]) < 1e-5,
            "%s %s %d: %s, not %s".formatted(formA, formB, i, found[i], expected[i]));
      }
    }
  }

  private static void require(boolean right, String what) {
    if (!right) {
      throw new AssertionError(what + " are not found");
    }
  }
}
