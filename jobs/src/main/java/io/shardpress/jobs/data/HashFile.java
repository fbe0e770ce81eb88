package io.shardpress.jobs.data;

import io.shardpress.common.storage.Store;
import org.apache.spark.api.java.function.Function;

/** The task that takes the hash of a data file. */
final class HashFile implements Function<DataFile, TokenManifest.Source> {
  private static final long serialVersionUID = 1L;

  private final Store store;

  HashFile(Store store) {
    this.store = store;
  }

  @Override
  public TokenManifest.Source call(DataFile file) {
    String hash = StoredFiles.sha256(store, file.location());
    return new TokenManifest.Source(file.location().uri(), hash);
  }
}
