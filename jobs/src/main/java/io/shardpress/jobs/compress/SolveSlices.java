package io.shardpress.jobs.compress;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.ExecutorMemory;
import io.shardpress.jobs.spark.ExecutorMemory.Lease;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.compression.CompressedWeight;
import io.shardpress.operators.compression.LayerResult;
import io.shardpress.operators.compression.LinearWeight;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.compression.Settings.Role;
import io.shardpress.operators.compression.Solver;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.StoredStatistics;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Solves linears that read one input with the same settings, or slices of their rows: the
 * statistics are prepared (the Gram factored) once in a process for all of them. Each result is
 * written and marked as finished before the next begins.
 *
 * @param slices of linears of one input and equal settings
 * @param statistics of the input; none where it has none, or none are needed
 */
record SolveSlices(
    ModelRef model,
    Workspace workspace,
    Encoder encoder,
    List<Slice> slices,
    List<StoredInput> statistics)
    implements Work<ArrayList<SolvedSlice>> {

  /**
   * Some rows of a linear, and the settings that they are solved with: those of the step, or what a
   * survey has made of them.
   */
  record Slice(StepWeights weights, Settings settings) implements Serializable {
    StepTask task() {
      return weights.task();
    }

    LayerTask layer() {
      return weights.layer();
    }

    RowSlice rows() {
      return weights.rows();
    }
  }

  SolveSlices {
    slices = List.copyOf(slices);
    statistics = List.copyOf(statistics);
  }

  @Override
  public ArrayList<SolvedSlice> run() {
    OpenModel open = model.open();
    LayerMarks marks = new LayerMarks(model.store(), workspace);
    ArrayList<SolvedSlice> solved = new ArrayList<>();
    long start = System.nanoTime();
    String key = first().task().sharedKey(origin(), first().settings());
    try (Lease<Prepared> prepared = ExecutorMemory.here().shared(key, this::prepare)) {
      for (Slice slice : slices) {
        SolvedSlice end = solve(open, slice, prepared.value(), start);
        // What failed is to be tried again.
        solved.add(end.kind() == Kind.FAILED ? end : marks.put(end));
        start = System.nanoTime();
      }
    }
    return solved;
  }

  /** A solver and the statistics that it reads. */
  private record Prepared(Solver solver, Optional<InputStatistics> statistics)
      implements AutoCloseable {
    @Override
    public void close() {
      solver.close();
      statistics.ifPresent(InputStatistics::close);
    }
  }

  private Prepared prepare() {
    Optional<InputStatistics> read = readStatistics();
    try {
      return new Prepared(settings().prepare(read), read);
    } catch (RuntimeException | Error e) {
      read.ifPresent(InputStatistics::close);
      throw e;
    }
  }

  @Override
  public TaskMemory memory() {
    String origin = origin();
    return slices.stream()
        .map(slice -> slice.task().memory(slice.rows().count(), origin, slice.settings()))
        .max(Comparator.comparingLong(TaskMemory::nativeBytes))
        .orElseThrow();
  }

  /** Sets what is prepared here apart from what other runs, or other statistics, give. */
  private String origin() {
    return workspace.root() + " " + statistics;
  }

  @Override
  public String subject() {
    return first().layer().module();
  }

  double cost() {
    return slices.stream().mapToDouble(slice -> slice.weights().cost()).sum();
  }

  private Slice first() {
    return slices.get(0);
  }

  /** Whether statistics are asked for that no token gave: only starved experts come to this. */
  private boolean starved() {
    return first().task().needsStatistics() && statistics.isEmpty();
  }

  private Settings settings() {
    Settings asked = first().settings();
    return starved() ? asked.withoutStatistics() : asked;
  }

  private Optional<InputStatistics> readStatistics() {
    return statistics.stream()
        .map(stored -> read(stored, settings().needs(), model.store()))
        .findFirst();
  }

  /** No more than is needed: moments are small, and a Gram is not. */
  static InputStatistics read(StoredInput stored, StatisticsNeed need, HadoopStore store) {
    String input = stored.kept().input();
    return need == StatisticsNeed.GRAM
        ? StoredStatistics.read(input, stored.tensors(store))
        : StoredStatistics.readMoments(input, stored.tensors(store));
  }

  private SolvedSlice solve(OpenModel open, Slice slice, Prepared prepared, long start) {
    LayerTask layer = slice.layer();
    LayerResult result;
    try (INDArray dense = slice.weights().dense(open)) {
      LinearWeight weight =
          new LinearWeight(
              layer.module(),
              layer.weight().dtype(),
              dense,
              slice.weights().before(model.store(), workspace),
              slice.task().zeros());
      LayerResult found = prepared.solver().compress(weight);
      // A refit has measured its result against the dense weight itself.
      result =
          weight.before().isPresent() && settings().role() != Role.REFINE
              ? found.against(dense, prepared.statistics())
              : found;
    }
    List<PublishedFile> files =
        result.weight().map(weight -> write(slice, weight)).stream().toList();
    double seconds = (System.nanoTime() - start) / 1e9;
    SolvedSlice solved = SolvedSlices.of(slice, result, files, seconds);
    return starved()
        ? SolvedSlices.fallenBack(solved, "too few calibration tokens reached this expert")
        : solved;
  }

  /** Every attempt has a file of its own: one that comes late cannot touch what counts. */
  private PublishedFile write(Slice slice, CompressedWeight weight) {
    StoredLinear stored = slice.layer().stored(slice.rows());
    List<RawTensor> tensors = slice.task().encoder(encoder).encode(stored, weight);
    String name =
        "%s.%d.%d.%s.safetensors"
            .formatted(
                SafeFileName.encode(slice.layer().module()),
                slice.task().position(),
                slice.rows().first(),
                UUID.randomUUID());
    return TensorFiles.write(model.store(), workspace.layers().child(name), tensors);
  }
}
