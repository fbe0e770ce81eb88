package io.shardpress.jobs.compress;

import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.operators.compression.CompressedWeight;
import io.shardpress.operators.compression.Survey;
import io.shardpress.operators.compression.Survey.Finding;
import io.shardpress.operators.compression.Survey.Subject;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Looks at linears, or slices of their rows, for a survey.
 *
 * @param slices where the survey needs statistics, of linears of one input
 * @param statistics of that input; none where it has none
 */
record LookAtSlices(
    ModelRef model,
    Workspace workspace,
    Survey survey,
    List<StepWeights> slices,
    List<StoredInput> statistics)
    implements Work<ArrayList<Finding>> {

  LookAtSlices {
    slices = List.copyOf(slices);
    statistics = List.copyOf(statistics);
  }

  static Subject subject(StepWeights slice) {
    LayerTask layer = slice.layer();
    return new Subject(
        layer.module(),
        layer.stage(),
        slice.rows().first(),
        slice.rows().count(),
        layer.out(),
        layer.in());
  }

  @Override
  public ArrayList<Finding> run() {
    OpenModel open = model.open();
    Optional<InputStatistics> moments =
        statistics.stream()
            .map(stored -> SolveSlices.read(stored, StatisticsNeed.MOMENTS, model.store()))
            .findFirst();
    ArrayList<Finding> findings = new ArrayList<>();
    for (StepWeights slice : slices) {
      try (INDArray weight = current(open, slice)) {
        findings.add(survey.look(subject(slice), weight, moments));
      }
    }
    return findings;
  }

  private INDArray current(OpenModel open, StepWeights slice) {
    return slice
        .before(model.store(), workspace)
        .map(CompressedWeight::matrix)
        .orElseGet(() -> slice.dense(open));
  }

  @Override
  public TaskMemory memory() {
    return slices.stream().map(LookAtSlices::memory).reduce(TaskMemory.NONE, TaskMemory::max);
  }

  /** The weight; one stored the other way round is turned beside it, and a step's file is read. */
  private static TaskMemory memory(StepWeights slice) {
    DType type = slice.layer().weight().dtype();
    long stored = slice.weights() * (type == DType.BF16 ? Short.BYTES : Float.BYTES);
    boolean turned = slice.layer().layout() == Layout.IN_OUT;
    long read = slice.before().isEmpty() ? 0 : 2 * slice.weights() * type.bits() / Byte.SIZE;
    return TaskMemory.of(stored + (turned ? Float.BYTES * slice.weights() : 0), read);
  }

  @Override
  public String subject() {
    return slices.get(0).layer().module();
  }
}
