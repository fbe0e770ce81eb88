package io.shardpress.jobs.plan;

import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.io.Serializable;
import java.util.List;

/**
 * The compression of one linear.
 *
 * @param module name, e.g. {@code model.layers.0.mlp.down_proj}
 * @param weight its tensor in the source checkpoint
 * @param out output features
 * @param in input features
 * @param layout how {@code weight} is stored
 * @param input id of the shared input that its statistics are kept under
 * @param stage position in the forward pass: a block's index, or the number of blocks for the head
 * @param expert whether it belongs to a routed expert
 * @param steps what is done, in order; not empty
 */
public record LayerTask(
    String module,
    TensorSpec weight,
    long out,
    long in,
    LinearModule.Layout layout,
    String input,
    int stage,
    boolean expert,
    List<Settings> steps)
    implements Serializable {

  public LayerTask {
    steps = List.copyOf(steps);
    if (steps.isEmpty()) {
      throw new IllegalArgumentException("No step applies to " + module);
    }
  }

  /** The linear as formats want it described. */
  public StoredLinear stored() {
    return new StoredLinear(module, out, in, weight.dtype(), layout);
  }

  /** What the result is stored as: the last step decides. */
  public Scheme scheme() {
    return steps.get(steps.size() - 1).scheme();
  }

  /** A part of its rows as formats want it described. */
  public StoredLinear stored(RowSlice rows) {
    return stored().rows(rows.count());
  }

  /** The parts that are solved one by one: all rows at once where the weight is not very large. */
  public List<RowSlice> slices() {
    return layout == LinearModule.Layout.OUT_IN
        ? RowSlice.of(out, in)
        : List.of(new RowSlice(0, out));
  }

  /** Whether any step reads statistics of the layer's input. */
  public boolean needsStatistics() {
    return steps.stream().anyMatch(step -> step.needs() != StatisticsNeed.NONE);
  }

  /** Predicted floating point operations: factor and sweep where there is a Gram, else rounding. */
  public double cost() {
    double weights = (double) out * in;
    return needsStatistics() ? 2.0 / 3 * in * in * in + weights * in : 100 * weights;
  }

  /**
   * Predicted memory of a task that solves some of the rows.
   *
   * @param run sets what its tasks share apart from that of other runs in the same process
   */
  public TaskMemory memory(long rows, String run) {
    return SolveMemories.of(this, rows, sharedKey(run));
  }

  /** Names what tasks of the run prepare together for linears of this input. */
  public String sharedKey(String run) {
    return "%s/%s/%s".formatted(run, input, steps);
  }

  /** The memory of the task with the largest of its slices. */
  public TaskMemory memory() {
    return memory(slices().stream().mapToLong(RowSlice::count).max().orElseThrow(), "");
  }
}
