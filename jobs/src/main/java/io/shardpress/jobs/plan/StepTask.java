package io.shardpress.jobs.plan;

import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.compression.Settings.Role;
import io.shardpress.operators.compression.Storage;
import io.shardpress.operators.compression.Zeros;
import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.io.Serializable;

/**
 * One step of one linear.
 *
 * @param index among the linear's steps, from 0
 */
public record StepTask(LayerTask layer, int index) implements Serializable {

  /** The step's place in the recipe. */
  public int position() {
    return layer.steps().get(index).position();
  }

  public Settings settings() {
    return layer.steps().get(index).settings();
  }

  public boolean isFirst() {
    return index == 0;
  }

  public boolean isLast() {
    return index == layer.steps().size() - 1;
  }

  /** The step before, of one that is not the first. */
  public StepTask before() {
    return new StepTask(layer, index - 1);
  }

  /** How the step's result is stored. */
  public Storage storage() {
    return layer.storage(index);
  }

  /** What writes the step's result: between steps codes stay codes, whatever is published. */
  public Encoder encoder(Encoder output) {
    return isLast() ? output : new CompressedTensors();
  }

  /** Whether zeros that the step finds are an earlier step's mask. */
  public Zeros zeros() {
    boolean pruned =
        layer
            .tasks()
            .limit(index)
            .map(task -> task.settings().role())
            .anyMatch(role -> role == Role.PRUNE || role == Role.PRUNE_AND_QUANTIZE);
    return pruned ? Zeros.KEEP : Zeros.FREE;
  }

  public boolean needsStatistics() {
    return settings().needs() != StatisticsNeed.NONE;
  }

  /** Predicted floating point operations: factor and sweep where there is a Gram, else rounding. */
  public double cost() {
    double in = layer.in();
    double weights = layer.out() * in;
    return settings().needs() == StatisticsNeed.GRAM
        ? 2.0 / 3 * in * in * in + weights * in
        : 100 * weights;
  }

  /**
   * Predicted memory of a task that solves some of the rows.
   *
   * @param run sets what its tasks share apart from that of other runs in the same process
   */
  public TaskMemory memory(long rows, String run) {
    return memory(rows, run, settings());
  }

  /**
   * The same with other settings than the step's.
   *
   * @param solved the settings that the rows are solved with, such as a survey has made them
   */
  public TaskMemory memory(long rows, String run, Settings solved) {
    return SolveMemories.of(this, rows, solved, sharedKey(run, solved));
  }

  /** Names what tasks of the run prepare together for linears of this input. */
  public String sharedKey(String run, Settings settings) {
    return "%s/%s/%s".formatted(run, layer.input(), settings);
  }
}
