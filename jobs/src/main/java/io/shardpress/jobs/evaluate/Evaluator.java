package io.shardpress.jobs.evaluate;

import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.EvaluationMemory;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.operators.metrics.WindowMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Runs models over windows of text, one task per chunk of windows. */
public final class Evaluator {
  private final Tasks tasks;
  private final Progress progress;

  public Evaluator(Tasks tasks, Progress progress) {
    this.tasks = tasks;
    this.progress = progress;
  }

  /**
   * Scores {@code model} on {@code tokens}, and compares it with {@code reference} where given.
   *
   * @param model dense or compressed checkpoint
   */
  public Evaluation evaluate(ModelRef model, Optional<ModelRef> reference, TokenChunks tokens) {
    List<ModelRef> models = new ArrayList<>(List.of(model));
    reference.ifPresent(models::add);
    TaskMemory memory =
        EvaluationMemory.of(
            models.get(models.size() - 1).openWhole(),
            (long) tokens.sequences(0) * tokens.length(),
            tokens.length(),
            models.size());
    List<ScoreChunk> work =
        IntStream.range(0, tokens.chunks())
            .mapToObj(chunk -> new ScoreChunk(List.copyOf(models), tokens, chunk, memory))
            .toList();
    progress.begin("evaluate", tokens.sequences());
    List<ArrayList<WindowMetrics>> results =
        tasks.run(
            "evaluate " + model.location().name() + " on " + tokens.sequences() + " windows",
            work,
            windows -> progress.advance(windows.size(), model.location().name()));
    List<WindowMetrics> windows = results.stream().flatMap(List::stream).toList();
    return Evaluation.of(windows, tokens.length(), reference.isPresent());
  }
}
