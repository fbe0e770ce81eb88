package io.shardpress.jobs.calibrate;

import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Statistics of several inputs in one safetensors file. */
final class StatisticsFiles {
  private StatisticsFiles() {}

  /** Streams them to the file; of a Gram only the upper triangle is read. */
  static void write(Store store, Location file, List<InputStatistics> statistics) {
    Map<TensorSpec, InputStatistics> tensors = new HashMap<>();
    for (InputStatistics one : statistics) {
      StoredStatistics.specs(one).forEach(spec -> tensors.put(spec, one));
    }
    SafetensorsLayout layout = SafetensorsLayout.of(tensors.keySet());
    try (SafetensorsWriter writer = new SafetensorsWriter(store.scratch(file), layout)) {
      for (TensorSpec spec : layout.specs()) {
        StoredStatistics.write(tensors.get(spec), spec, part -> writer.write(spec, part));
      }
      writer.finish();
    }
  }
}
