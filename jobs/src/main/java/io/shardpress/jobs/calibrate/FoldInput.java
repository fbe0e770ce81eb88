package io.shardpress.jobs.calibrate;

import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Adds the partial sums of one input in chunk order and stores the result. Grams are added some
 * elements at a time, so that memory holds neither all chunks' Grams nor one of them.
 */
record FoldInput(HadoopStore store, Workspace workspace, String input, int stage, int chunks)
    implements Work<FoldInput.Folded> {
  /** Elements of a Gram that are added at a time: 4 MiB of F32. */
  private static final int PIECE = 1 << 20;

  /**
   * @param tokens tokens that reached the input in all chunks; 0 leaves no statistics behind
   */
  record Folded(String input, long tokens) implements java.io.Serializable {}

  @Override
  public Folded run() {
    List<Map<String, TensorSource>> parts = new ArrayList<>();
    List<InputStatistics> moments = new ArrayList<>();
    for (int chunk = 0; chunk < chunks; chunk++) {
      Map<String, TensorSource> part = part(chunk);
      if (!part.isEmpty()) {
        parts.add(part);
        moments.add(StoredStatistics.readMoments(input, part));
      }
    }
    if (parts.isEmpty()) {
      return new Folded(input, 0);
    }
    // Without Grams, statistics hold nothing that has to be closed.
    InputStatistics sum = InputStatistics.fold(moments);
    write(parts, sum);
    return new Folded(input, sum.tokens());
  }

  /** The statistics of the input in one chunk's file, if any. */
  private Map<String, TensorSource> part(int chunk) {
    Map<String, TensorSource> tensors =
        TensorFiles.sources(store, workspace.partials(stage, chunk));
    tensors.keySet().removeIf(name -> !StoredStatistics.belongsTo(input, name));
    return tensors;
  }

  private void write(List<Map<String, TensorSource>> parts, InputStatistics moments) {
    SafetensorsLayout layout =
        SafetensorsLayout.of(parts.get(0).values().stream().map(TensorSource::spec).toList());
    try (SafetensorsWriter writer =
        new SafetensorsWriter(store.scratch(workspace.statistics(input)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        if (StoredStatistics.isGram(spec)) {
          List<TensorSource> grams = parts.stream().map(part -> part.get(spec.name())).toList();
          addGrams(grams, piece -> writer.write(spec, piece));
        } else {
          StoredStatistics.write(moments, spec, piece -> writer.write(spec, piece));
        }
      }
      writer.finish();
    }
  }

  /** Sums in F64, stored in F32. */
  private static void addGrams(List<TensorSource> grams, Consumer<ByteBuffer> pieces) {
    long elements = grams.get(0).spec().elements();
    double[] sums = new double[(int) Math.min(PIECE, elements)];
    float[] values = new float[sums.length];
    ByteBuffer bytes =
        ByteBuffer.allocate(sums.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long first = 0; first < elements; first += sums.length) {
      int count = (int) Math.min(sums.length, elements - first);
      Arrays.fill(sums, 0);
      for (TensorSource gram : grams) {
        gram.read(first * Float.BYTES, bytes.clear().limit(count * Float.BYTES));
        FloatCodec.decode(DType.F32, bytes.flip(), values, 0, count);
        for (int i = 0; i < count; i++) {
          sums[i] += values[i];
        }
      }
      for (int i = 0; i < count; i++) {
        values[i] = (float) sums[i];
      }
      FloatCodec.encode(DType.F32, values, 0, count, bytes.clear());
      pieces.accept(bytes.flip());
    }
  }
}
