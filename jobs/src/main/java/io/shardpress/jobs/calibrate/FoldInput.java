package io.shardpress.jobs.calibrate;

import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Adds the partial sums of one input in chunk order and stores the result. */
record FoldInput(HadoopStore store, Workspace workspace, String input, int stage, int chunks)
    implements Work<FoldInput.Folded> {

  /**
   * @param tokens tokens that reached the input in all chunks; 0 leaves no statistics behind
   */
  record Folded(String input, long tokens) implements java.io.Serializable {}

  @Override
  public Folded run() {
    List<InputStatistics> partials = new ArrayList<>();
    try {
      for (int chunk = 0; chunk < chunks; chunk++) {
        SafetensorsFile file = SafetensorsFile.read(store, workspace.partials(stage, chunk));
        Map<String, RawTensor> tensors = new HashMap<>();
        for (String name : file.header().tensors().keySet()) {
          if (StoredStatistics.belongsTo(input, name)) {
            tensors.put(name, file.tensor(name));
          }
        }
        if (!tensors.isEmpty()) {
          partials.add(StoredStatistics.read(input, tensors));
        }
      }
      if (partials.isEmpty()) {
        return new Folded(input, 0);
      }
      try (InputStatistics sum = InputStatistics.fold(partials)) {
        TensorFiles.write(store, workspace.statistics(input), StoredStatistics.write(sum));
        return new Folded(input, sum.tokens());
      }
    } finally {
      partials.forEach(InputStatistics::close);
    }
  }
}
