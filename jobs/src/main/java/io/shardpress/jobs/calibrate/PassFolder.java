package io.shardpress.jobs.calibrate;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.calibrate.ObserveStages.Route;
import io.shardpress.jobs.calibrate.ObserveStages.Seen;
import io.shardpress.jobs.plan.WideInputs;
import io.shardpress.jobs.run.PublishedFile;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.KeptInput;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.TileAccumulator;
import io.shardpress.operators.statistics.TileGrid;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Adds up what a pass left in the workspace.
 *
 * @param target where the sums are written
 * @param widths channels of each input
 * @param chunkTokens tokens of a chunk that is not the last
 * @param precision of the inputs
 */
record PassFolder(
    HadoopStore store,
    Workspace workspace,
    Location target,
    Map<String, Integer> widths,
    long chunkTokens,
    Precision precision) {

  /** Folds all wanted inputs, and returns what there is of each, also where it is nothing. */
  Map<String, KeptInput> fold(
      Tasks tasks, Route route, List<Set<String>> wanted, List<Seen> chunks) {
    List<FoldTile> work = new ArrayList<>();
    for (int i = 0; i < wanted.size(); i++) {
      int stage = i;
      List<String> files =
          wanted.get(i).isEmpty()
              ? List.of()
              : chunks.stream().map(chunk -> chunk.partials().get(stage)).toList();
      wanted.get(i).forEach(input -> work.addAll(tiles(input, files)));
    }
    Map<String, KeptInput> kept = new TreeMap<>();
    tasks
        .run(
            "calibrate: add the sums of the chunks, stages %d to %d"
                .formatted(route.first() + 1, route.last() + 1),
            work)
        .forEach(tile -> kept.merge(tile.input(), tile, PassFolder::together));
    return kept;
  }

  /** The tasks that fold one input, that of the first tile first. */
  List<FoldTile> tiles(String input, List<String> files) {
    TileGrid grid = TileGrid.of(widths.get(input));
    TaskMemory memory = memory(grid);
    return grid.places().stream()
        .map(
            place ->
                new FoldTile(
                    store, workspace.partials(), files, input, grid, place, memory, target))
        .toList();
  }

  private TaskMemory memory(TileGrid grid) {
    if (!WideInputs.areKept(grid.width(), chunkTokens)) {
      return TaskMemory.NONE;
    }
    DType strips = precision == Precision.BF16 ? DType.BF16 : DType.F32;
    return TaskMemory.of(TileAccumulator.nativeBytes(grid, chunkTokens, strips), 0);
  }

  /** What the task of the first tile counted, with the files of all. */
  static KeptInput together(KeptInput first, KeptInput other) {
    List<PublishedFile> files = new ArrayList<>(first.files());
    files.addAll(other.files());
    return new KeptInput(
        first.input(), first.width(), first.tokens(), first.routed(), first.action(), files);
  }

  /** Removes the files of what is not to be kept. */
  void delete(KeptInput unwanted) {
    unwanted.files().forEach(file -> store.delete(target.child(file.name())));
  }
}
