package io.shardpress.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.jobs.fixture.LlamaHeaders;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.spark.MemoryBudget;
import io.shardpress.jobs.spark.MemoryBudget.Host;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.encoding.CompressedTensors;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryPlanTest {
  private static final long MEBI = 1 << 20;
  private static final long GIBI = 1 << 30;
  private static final String SEQUENTIAL = "calibration.mode = sequential\n";
  private static final String GPTQ = "steps = [ { gptq {} } ]\n";
  private static final String RTN = "steps = [ { rtn {} } ]\n";

  @TempDir private Path folder;

  @Test
  void aBlockOfLlama70bIsCalibratedInThreeGibibytes() {
    Plan plan = plan(LlamaHeaders.of70b(), GPTQ + SEQUENTIAL);

    long hidden = 4L * 8192 * 8192; // 8,192 tokens in F32
    long network = 2L * 3 * 8192 * 28672; // gate, up and down in BF16
    long grams = 4L * 3 * 8192L * 8192; // that of 28,672 channels is summed from what was kept
    long least = hidden + network + grams;
    assertThat(plan.memory().stages()).hasSize(81);
    assertThat(plan.memory().observe(7).ownBytes())
        .as("and a slice of 4,096 tokens between the linears")
        .isBetween(least, least + 640 * MEBI);
    assertThat(plan.memory().observe(7)).isEqualTo(plan.memory().observe(0));
  }

  @Test
  void aStageWithoutInputsToObserveOnlyTakesTokensThrough() {
    Plan plan = plan(LlamaHeaders.of70b(), GPTQ);
    TaskMemory head = plan.memory().observe(80);
    assertThat(head.ownBytes()).isEqualTo(2 * 4L * 8192 * 8192);
  }

  @Test
  void compressedWeightsAreDecodedBesideTheOthers() {
    Plan plan = plan(LlamaHeaders.of70b(), GPTQ + SEQUENTIAL);
    long network = 2L * 3 * 8192 * 28672;
    long decoded = 4L * 8192 * 28672;
    assertThat(plan.memory().observe(80).ownBytes())
        .isBetween(network + decoded, network + decoded + GIBI);
  }

  @Test
  void kernelsThatWidenTheirOperandsNeedMore() {
    long narrow = plan(LlamaHeaders.of70b(), GPTQ).memory().observe(0).ownBytes();
    long wide =
        plan(LlamaHeaders.of70b(), GPTQ + "run.kernels = openblas").memory().observe(0).ownBytes();
    assertThat(wide).isGreaterThan(narrow + 4L * 8192 * 28672);
  }

  @Test
  void slicesOfRowsShareAFactor() {
    Plan plan = plan(LlamaHeaders.of70b(), GPTQ);
    LayerTask down = layer(plan, "down_proj");
    TaskMemory slice = new StepTask(down, 0).memory(2048, "run");

    assertThat(slice.sharedBytes()).as("the factor").isEqualTo(4L * 28672 * 28672);
    assertThat(slice.ownBytes())
        .as("weight in BF16 and F32, and panels")
        .isEqualTo((2 + 4 + 4) * 2048L * 28672);
    assertThat(slice.heapBytes()).isBetween(2048L * 28672, GIBI / 2);
    MemoryBudget eight = executor(8, 2, 4);
    assertThat(eight.tasksAtOnce(slice)).isEqualTo(3);
    assertThat(eight.tooSmall("x", slice)).isEmpty();
  }

  @Test
  void roundingOfSlicesFitsIntoThreeGibibytes() {
    TaskMemory slice =
        new StepTask(layer(plan(LlamaHeaders.of70b(), RTN), "down_proj"), 0).memory(2048, "run");
    assertThat(slice.ownBytes()).as("the weight").isEqualTo(2L * 2048 * 28672);
    assertThat(executor(3, 1, 1).tooSmall("x", slice)).isEmpty();
    assertThat(executor(3, 1, 1).heapTooSmall("x", slice)).isEmpty();
  }

  @Test
  void refusesWhatNeverFitsWithTheNumbersAndTheSettings() {
    Plan plan = plan(LlamaHeaders.of70b(), GPTQ + "calibration.chunk-tokens = 16384");

    assertThatThrownBy(() -> plan.requireFits(executor(4, 2, 1)))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageMatching(
            "model\\.layers\\.0\\.mlp\\.down_proj needs 3\\.\\d GiB beside the heap \\(3\\.1 GiB of"
                + " it in common with its other tasks\\), and an executor has 1\\.\\d GiB: it may"
                + " become 3\\.8 GiB, less 2\\.0 GiB of heap and \\d+ MiB of Java and libraries\\."
                + " Give executors more: spark\\.executor\\.memoryOverhead=5g\\.");
    assertThatThrownBy(() -> plan.requireFits(executor(4, 2, 1)))
        .isInstanceOfSatisfying(
            EnvironmentException.class, refused -> assertThat(refused.exitCode()).isEqualTo(3));
    assertThatCode(() -> plan.requireFits(executor(2 + 5, 2, 1)))
        .as("what the message says to set")
        .doesNotThrowAnyException();
  }

  @Test
  void refusesAHeapThatIsTooSmall() {
    Plan plan = plan(LlamaHeaders.of(2048, 65536, 1, 16, 16, 1000), RTN);
    LayerTask down = layer(plan, "down_proj");

    assertThat(executor(8, 1, 1).heapTooSmall("It", TaskMemory.of(0, GIBI)))
        .contains(
            "It needs 1.0 GiB of heap, and an executor has 648 MiB for tasks. Give executors more:"
                + " spark.executor.memory=2g.");
    assertThat(new StepTask(down, 0).memory(1024, "").heapBytes())
        .isLessThan(new StepTask(down, 0).memory(2048, "").heapBytes());
  }

  @Test
  void tinyModelsFitAnywhere() {
    OpenModel tiny = TinyCheckpoint.llama(1).write(folder.resolve("m")).openWhole();
    Plan plan =
        plan(tiny, "steps = [ { gptq { group-size = 16 } } ], calibration { length = 16 }\n");

    assertThat(plan.memoryNeeds())
        .extracting(TaskNeed::what)
        .containsExactly("Calibrating block 0", "model.layers.0.mlp.down_proj");
    assertThat(plan.memoryNeeds().get(0).memory().ownBytes()).isLessThan(16 * MEBI);
    assertThatCode(() -> plan.requireFits(executor(2, 1, 2))).doesNotThrowAnyException();
  }

  @Test
  void expertsHaveGramsOfTheirOwn() {
    OpenModel mixtral = TinyCheckpoint.mixtral(2).write(folder.resolve("m")).openWhole();
    Plan plan =
        plan(mixtral, "steps = [ { gptq { group-size = 16 } } ], calibration { length = 16 }\n");
    long grams = 4 * (2 * 32 * 32 + TinyCheckpoint.EXPERTS * (32 * 32 + 48 * 48));
    long hidden = 4 * 8192 * 32;
    assertThat(plan.memory().observe(0).ownBytes()).isGreaterThan(grams + 4 * hidden);
  }

  @Test
  void evaluationHoldsTwoHeadsInF32() {
    Plan plan = plan(LlamaHeaders.of70b(), RTN + "evaluation.data = [ x ]");
    assertThat(plan.memory().stages()).isEmpty();
    long heads = 2L * 4 * 32_000 * 8192;
    long hidden = 2L * 4 * 8192 * 8192;
    assertThat(plan.memory().evaluation().ownBytes()).isGreaterThan(heads + hidden);
    assertThat(plan(LlamaHeaders.of70b(), RTN).memory().evaluation()).isEqualTo(TaskMemory.NONE);
  }

  private static LayerTask layer(Plan plan, String suffix) {
    return plan.layers().stream()
        .filter(layer -> layer.module().endsWith(suffix))
        .findFirst()
        .orElseThrow();
  }

  /** An executor in a container of so many GiB; a twentieth of it is kept free. */
  private static MemoryBudget executor(int container, int heap, int cores) {
    long limit = container * GIBI - Math.max(container * GIBI / 20, 256 * MEBI);
    return new MemoryBudget(Host.EXECUTOR, limit, heap * GIBI, cores);
  }

  private Plan plan(OpenModel model, String recipe) {
    return Planner.plan(model, Recipes.read(folder, recipe), new CompressedTensors());
  }
}
