package io.shardpress.jobs.plan;

import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.compression.Storage;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.model.LinearModule;
import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
    List<LayerStep> steps)
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

  /** How the weight is stored after its last step. */
  public Storage storage() {
    return storage(steps.size() - 1);
  }

  /** How the weight is stored after one of its steps. */
  Storage storage(int index) {
    Storage before = index == 0 ? Storage.PLAIN : storage(index - 1);
    return steps.get(index).settings().storage(before);
  }

  /** What is to be done, in order. */
  public Stream<StepTask> tasks() {
    return IntStream.range(0, steps.size()).mapToObj(index -> new StepTask(this, index));
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
    return tasks().anyMatch(StepTask::needsStatistics);
  }

  /** Predicted floating point operations of all steps. */
  public double cost() {
    return tasks().mapToDouble(StepTask::cost).sum();
  }

  /** The memory of the task with the largest of its slices, of the step that takes most. */
  public TaskMemory memory() {
    long rows = slices().stream().mapToLong(RowSlice::count).max().orElseThrow();
    return tasks()
        .map(task -> task.memory(rows, ""))
        .max(Comparator.comparingLong(TaskMemory::nativeBytes))
        .orElseThrow();
  }
}
