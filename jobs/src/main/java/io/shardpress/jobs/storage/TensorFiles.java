package io.shardpress.jobs.storage;

import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Whole safetensors files of tensors that fit in memory. */
public final class TensorFiles {
  private TensorFiles() {}

  /**
   * Writes a file, replacing what a failed attempt of the same task may have left.
   *
   * @return its name, length and hash
   */
  public static PublishedFile write(Store store, Location file, List<RawTensor> tensors) {
    Map<String, RawTensor> byName = new HashMap<>();
    tensors.forEach(tensor -> byName.put(tensor.spec().name(), tensor));
    SafetensorsLayout layout = SafetensorsLayout.of(tensors.stream().map(RawTensor::spec).toList());
    Sha256 hash = new Sha256();
    try (SafetensorsWriter writer = new SafetensorsWriter(hash.tee(store.scratch(file)), layout)) {
      layout.specs().forEach(spec -> writer.write(byName.get(spec.name())));
      writer.finish();
    }
    return new PublishedFile(file.name(), layout.totalLength(), hash.hex());
  }

  /** Reads every tensor of a file, by name. */
  public static Map<String, RawTensor> read(Store store, Location file) {
    SafetensorsFile open = SafetensorsFile.read(store, file);
    Map<String, RawTensor> tensors = new HashMap<>();
    open.header().tensors().keySet().forEach(name -> tensors.put(name, open.tensor(name)));
    return tensors;
  }

  /** Every tensor of a file, by name, to be read in parts. */
  public static Map<String, TensorSource> sources(Store store, Location file) {
    SafetensorsFile open = SafetensorsFile.read(store, file);
    Map<String, TensorSource> tensors = new HashMap<>();
    open.header().tensors().keySet().forEach(name -> tensors.put(name, open.source(name)));
    return tensors;
  }
}
