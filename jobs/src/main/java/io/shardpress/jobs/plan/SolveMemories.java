package io.shardpress.jobs.plan;

import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.TaskMemory.Shared;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.compression.SolveMemory;
import io.shardpress.operators.compression.Storage;
import io.shardpress.operators.model.LinearModule.Layout;
import java.util.Optional;

/** Predicted memory of tasks that solve layers, or some of their rows. */
final class SolveMemories {
  /**
   * Threads that a task is taken to compute on. How many it gets is known only when it runs; what
   * each needs for itself is little.
   */
  static final int THREADS = 4;

  private SolveMemories() {}

  /**
   * @param settings that the rows are solved with
   * @param key of what tasks on the same input share
   */
  static TaskMemory of(StepTask task, long rows, Settings settings, String key) {
    LayerTask layer = task.layer();
    boolean turned = layer.layout() == Layout.IN_OUT;
    DType type = layer.weight().dtype();
    long weights = rows * layer.in();
    SolveMemory memory = settings.memory(rows, layer.in(), turned ? DType.F32 : type, THREADS);
    // A transposed copy is made beside the stored weight.
    long turning =
        turned ? (Float.BYTES + (type == DType.BF16 ? Short.BYTES : Float.BYTES)) * weights : 0;
    // What an earlier step left is read, and decoded beside the dense weight.
    long before = task.isFirst() ? 0 : bytes(weights, task.before().storage(), type);
    long decoded = task.isFirst() ? 0 : Float.BYTES * weights;
    long own =
        Math.max(turning, Math.max(memory.prepareBytes(), memory.sliceNativeBytes() + decoded));
    long encoded = 2 * before + bytes(weights, task.storage(), type);
    return new TaskMemory(
        own,
        memory.sliceHeapBytes() + encoded,
        memory.sharedBytes() == 0
            ? Optional.empty()
            : Optional.of(new Shared(key, memory.sharedBytes())));
  }

  private static long bytes(long weights, Storage storage, DType type) {
    return weights * storage.bits(type.bits()) / Byte.SIZE;
  }
}
