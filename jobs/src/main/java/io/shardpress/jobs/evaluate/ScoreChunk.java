package io.shardpress.jobs.evaluate;

import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.metrics.WindowMetrics;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.LogitHead;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scores the windows of one chunk under one model, or under a model and the dense one beside it.
 * Every position but a window's first is scored.
 *
 * @param models the model, and behind it the dense reference if there is one
 * @param memory predicted
 */
record ScoreChunk(List<ModelRef> models, TokenChunks tokens, int chunk, TaskMemory memory)
    implements Work<ArrayList<WindowMetrics>> {
  /** Logits held at a time, per model: 32 MiB. */
  private static final int LOGITS = 8 << 20;

  @Override
  public ArrayList<WindowMetrics> run() {
    long[] ids = tokens.readChunk(chunk);
    List<Scored> scored = new ArrayList<>();
    try {
      models.forEach(model -> scored.add(Scored.of(model, ids, tokens.length())));
      ArrayList<WindowMetrics> windows = new ArrayList<>();
      for (int start = 0; start < ids.length; start += tokens.length()) {
        windows.add(window(scored, ids, start));
      }
      return windows;
    } finally {
      scored.forEach(Scored::close);
    }
  }

  private WindowMetrics window(List<Scored> scored, long[] ids, int start) {
    WindowMetrics.Collector collector = new WindowMetrics.Collector();
    int vocabulary = scored.get(0).vocabulary();
    int step = Math.max(1, LOGITS / vocabulary);
    int positions = tokens.length() - 1;
    for (int first = 0; first < positions; first += step) {
      int count = Math.min(step, positions - first);
      float[] model = scored.get(0).logits(start + first, count);
      Optional<float[]> dense =
          scored.size() > 1
              ? Optional.of(scored.get(1).logits(start + first, count))
              : Optional.empty();
      for (int i = 0; i < count; i++) {
        int target = (int) ids[start + first + i + 1];
        if (dense.isPresent()) {
          collector.add(model, dense.get(), i * vocabulary, vocabulary, target);
        } else {
          collector.add(model, i * vocabulary, vocabulary, target);
        }
      }
    }
    return collector.result();
  }

  /** A model's last hidden states for the chunk, and its head. */
  private record Scored(INDArray hidden, LogitHead head, int vocabulary) implements AutoCloseable {

    static Scored of(ModelRef ref, long[] ids, int length) {
      OpenModel model = ref.open();
      Architecture architecture = model.requireArchitecture();
      INDArray hidden = architecture.embed(ids, length, model.weights());
      for (int block = 0; block < architecture.blocks(); block++) {
        architecture.block(block, hidden, length, model.weights(), InputObserver.NONE);
      }
      return new Scored(hidden, architecture.head(model.weights()), architecture.vocabulary());
    }

    float[] logits(int firstRow, int count) {
      float[] rows = new float[count * Floats.columns(hidden)];
      Floats.readRows(hidden, firstRow, count, rows);
      try (INDArray slice = Floats.of(rows, count, Floats.columns(hidden));
          INDArray logits = head.logits(slice)) {
        return Floats.toArray(logits);
      }
    }

    @Override
    public void close() {
      hidden.close();
      head.close();
    }
  }
}
