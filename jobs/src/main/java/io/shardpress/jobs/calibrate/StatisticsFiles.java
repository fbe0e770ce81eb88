package io.shardpress.jobs.calibrate;

import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Statistics of several inputs in one safetensors file. */
final class StatisticsFiles {
  private StatisticsFiles() {}

  /**
   * Streams them to the file, and tensors of other kinds beside them; of a Gram only the upper
   * triangle is read.
   */
  static void write(
      Store store, Location file, List<InputStatistics> statistics, List<RawTensor> others) {
    Map<TensorSpec, InputStatistics> sums = new HashMap<>();
    Map<TensorSpec, RawTensor> whole = new HashMap<>();
    for (InputStatistics one : statistics) {
      StoredStatistics.specs(one).forEach(spec -> sums.put(spec, one));
    }
    others.forEach(tensor -> whole.put(tensor.spec(), tensor));
    List<TensorSpec> specs = new ArrayList<>(sums.keySet());
    specs.addAll(whole.keySet());
    SafetensorsLayout layout = SafetensorsLayout.of(specs);
    try (SafetensorsWriter writer = new SafetensorsWriter(store.scratch(file), layout)) {
      for (TensorSpec spec : layout.specs()) {
        if (whole.containsKey(spec)) {
          writer.write(whole.get(spec));
        } else {
          StoredStatistics.write(sums.get(spec), spec, part -> writer.write(spec, part));
        }
      }
      writer.finish();
    }
  }
}
