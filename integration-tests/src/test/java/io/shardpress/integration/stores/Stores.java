package io.shardpress.integration.stores;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.integration.Cli;
import io.shardpress.integration.Folders;
import io.shardpress.integration.faults.Destination;
import io.shardpress.integration.faults.TinyRun;
import io.shardpress.integration.faults.TinyRun.Way;
import java.nio.file.Path;
import java.util.Map;

/** What runs on different stores publish. */
final class Stores {
  private static final long LARGEST = 1 << 30;

  private Stores() {}

  /** Hashes of what is published in a folder of a store, without the records of the run. */
  static Map<String, String> published(Store store, Location output, Path copy) {
    store.list(output).stream()
        .filter(entry -> !entry.directory())
        .forEach(
            entry ->
                Folders.write(
                    copy.resolve(entry.name()),
                    store.readAll(output.child(entry.name()), LARGEST)));
    return new Destination(copy).requireComplete().published();
  }

  /** The same of a run of the {@linkplain TinyRun#in same model} on local files. */
  static Map<String, String> locally(Path folder, Way way, long seed) {
    TinyRun run = TinyRun.in(folder, seed);
    Cli.run("compress", run.recipe(way)).succeeded();
    return new Destination(run.output()).requireComplete().published();
  }
}
