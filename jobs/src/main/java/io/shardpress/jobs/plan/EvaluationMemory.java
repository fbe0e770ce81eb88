package io.shardpress.jobs.plan;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.Precision;
import java.util.HashMap;
import java.util.Map;

/** Predicted memory of scoring a chunk of windows: models run one after the other in F32. */
public final class EvaluationMemory {
  /** A model's logits at a time, and as much again of the heap for each place they pass. */
  private static final long LOGITS = 32 << 20;

  private EvaluationMemory() {}

  /**
   * @param dense headers of the dense model; a compressed one beside it needs no more
   * @param tokens of a chunk
   * @param length tokens of a window
   * @param models 1, or 2 where the dense model is scored too
   */
  public static TaskMemory of(OpenModel dense, long tokens, long length, int models) {
    Architecture architecture = dense.requireArchitecture();
    CalibrationMemory pass =
        new CalibrationMemory(
            architecture, tokens, length, Precision.F32, false, types(dense, architecture));
    TensorSpec table = dense.checkpoint().spec(architecture.embedding());
    long head = Float.BYTES * table.elements();
    long reading = table.dtype() == DType.BF16 ? Short.BYTES * table.elements() : 0;
    long running = (models - 1) * (pass.hidden() + head) + pass.forward();
    long scoring = models * (pass.hidden() + head) + Math.max(reading, models * 2L * LOGITS);
    return TaskMemory.of(Math.max(running, scoring), models * 2L * LOGITS);
  }

  /** The stored types of the linears' weights; what is missing there is compressed. */
  static Map<String, DType> types(OpenModel model, Architecture architecture) {
    Map<String, DType> types = new HashMap<>();
    for (LinearModule linear : architecture.linears()) {
      String weight = linear.name() + ".weight";
      if (model.checkpoint().contains(weight)) {
        types.put(linear.name(), model.checkpoint().spec(weight).dtype());
      }
    }
    return types;
  }
}
