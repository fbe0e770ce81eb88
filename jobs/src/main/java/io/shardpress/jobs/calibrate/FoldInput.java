package io.shardpress.jobs.calibrate;

import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.safetensors.SafetensorsHeader;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Adds the partial sums of one input in chunk order and stores the result. Grams are added some
 * elements at a time, so that memory holds neither all chunks' Grams nor one of them.
 */
record FoldInput(HadoopStore store, Workspace workspace, String input, int stage, int chunks)
    implements Work<FoldInput.Folded> {
  /** Elements of a Gram that are added at a time: 16 MiB of F32. */
  private static final int PIECE = 4 << 20;

  /**
   * @param tokens tokens that reached the input in all chunks; 0 leaves no statistics behind
   */
  record Folded(String input, long tokens) implements java.io.Serializable {}

  @Override
  public Folded run() {
    List<SafetensorsFile> files = new ArrayList<>();
    List<InputStatistics> moments = new ArrayList<>();
    for (int chunk = 0; chunk < chunks; chunk++) {
      SafetensorsFile file = SafetensorsFile.read(store, workspace.partials(stage, chunk));
      Map<String, RawTensor> tensors = new HashMap<>();
      for (TensorSpec spec : specs(file)) {
        if (!StoredStatistics.isGram(spec)) {
          tensors.put(spec.name(), file.tensor(spec.name()));
        }
      }
      if (!tensors.isEmpty()) {
        files.add(file);
        moments.add(StoredStatistics.read(input, tensors));
      }
    }
    if (files.isEmpty()) {
      return new Folded(input, 0);
    }
    // Without Grams, statistics hold nothing that has to be closed.
    InputStatistics sum = InputStatistics.fold(moments);
    write(files, StoredStatistics.write(sum));
    return new Folded(input, sum.tokens());
  }

  private List<TensorSpec> specs(SafetensorsFile file) {
    return file.header().tensors().values().stream()
        .map(SafetensorsHeader.Entry::spec)
        .filter(spec -> StoredStatistics.belongsTo(input, spec.name()))
        .toList();
  }

  private void write(List<SafetensorsFile> files, List<RawTensor> moments) {
    Map<String, RawTensor> sums = new HashMap<>();
    moments.forEach(tensor -> sums.put(tensor.spec().name(), tensor));
    SafetensorsLayout layout = SafetensorsLayout.of(specs(files.get(0)));
    try (SafetensorsWriter writer =
        new SafetensorsWriter(store.replace(workspace.statistics(input)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        if (StoredStatistics.isGram(spec)) {
          writeGram(files, spec, writer);
        } else {
          writer.write(sums.get(spec.name()));
        }
      }
      writer.finish();
    }
  }

  /** Sums in F64, stored in F32. */
  private static void writeGram(
      List<SafetensorsFile> files, TensorSpec gram, SafetensorsWriter writer) {
    for (long first = 0; first < gram.elements(); first += PIECE) {
      int elements = (int) Math.min(PIECE, gram.elements() - first);
      double[] sums = new double[elements];
      float[] part = new float[elements];
      for (SafetensorsFile file : files) {
        RawTensor piece = file.rows(gram.name(), first, first + elements);
        FloatCodec.decode(DType.F32, piece.data(), part, 0, elements);
        for (int i = 0; i < elements; i++) {
          sums[i] += part[i];
        }
      }
      for (int i = 0; i < elements; i++) {
        part[i] = (float) sums[i];
      }
      ByteBuffer bytes = ByteBuffer.allocate(elements * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      FloatCodec.encode(DType.F32, part, 0, elements, bytes);
      writer.write(gram, bytes.flip());
    }
  }
}
