package io.shardpress.jobs.calibrate;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.calibrate.ObserveStages.Route;
import io.shardpress.jobs.calibrate.ObserveStages.Seen;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.KeptInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Adds up what a pass left in the workspace.
 *
 * @param target where the sums are written
 */
record PassFolder(HadoopStore store, Workspace workspace, Location target) {

  /** Folds all wanted inputs, and returns what there is of each, also where it is nothing. */
  Map<String, KeptInput> fold(
      Tasks tasks, Route route, List<Set<String>> wanted, List<Seen> chunks) {
    List<FoldInput> work = new ArrayList<>();
    for (int i = 0; i < wanted.size(); i++) {
      int stage = i;
      List<String> files =
          wanted.get(i).isEmpty()
              ? List.of()
              : chunks.stream().map(chunk -> chunk.partials().get(stage)).toList();
      for (String input : wanted.get(i)) {
        work.add(new FoldInput(store, workspace.partials(), files, input, target));
      }
    }
    Map<String, KeptInput> kept = new TreeMap<>();
    tasks
        .run(
            "calibrate: add the sums of the chunks, stages %d to %d"
                .formatted(route.first() + 1, route.last() + 1),
            work)
        .forEach(input -> kept.put(input.input(), input));
    return kept;
  }

  /** Removes the files of what is not to be kept. */
  void delete(KeptInput unwanted) {
    unwanted.files().forEach(file -> store.delete(target.child(file.name())));
  }
}
