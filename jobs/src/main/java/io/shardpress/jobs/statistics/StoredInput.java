package io.shardpress.jobs.statistics;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.TensorFiles;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;

/** Statistics of one input and the folder that holds their files: what a task carries of them. */
public record StoredInput(Location folder, KeptInput kept) implements Serializable {

  /** All tensors of its files, by name, to be read in parts. */
  public Map<String, TensorSource> tensors(Store store) {
    Map<String, TensorSource> tensors = new HashMap<>();
    for (PublishedFile file : kept.files()) {
      tensors.putAll(TensorFiles.sources(store, folder.child(file.name())));
    }
    return tensors;
  }
}
