package io.shardpress.jobs.calibrate;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.calibrate.FoldTile.Folded;
import io.shardpress.jobs.calibrate.ObserveStages.Route;
import io.shardpress.jobs.calibrate.ObserveStages.Seen;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.KeptInput;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.TileGrid;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Adds up what a pass left in the workspace.
 *
 * @param widths of the inputs
 * @param chunkTokens tokens of a chunk that is not the last
 * @param momentsAlone inputs that no Gram is wanted of
 * @param target where the sums are written
 * @param moments where those are written that have no Gram
 */
record PassFolder(
    HadoopStore store,
    Workspace workspace,
    Map<String, Integer> widths,
    long chunkTokens,
    Set<String> momentsAlone,
    Location target,
    Location moments) {
  private static final String UNTOUCHED = "none";

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
      for (String input : wanted.get(i)) {
        TileGrid grid = TileGrid.of(widths.get(input));
        if (momentsAlone.contains(input)) {
          work.add(tile(files, input, grid, new Place(0, 0), StatisticsNeed.MOMENTS));
        } else {
          grid.places()
              .forEach(place -> work.add(tile(files, input, grid, place, StatisticsNeed.GRAM)));
        }
      }
    }
    Map<String, List<Folded>> tiles = new TreeMap<>();
    tasks
        .run(
            "calibrate: add the sums of the chunks, stages %d to %d"
                .formatted(route.first() + 1, route.last() + 1),
            work)
        .forEach(
            tile -> tiles.computeIfAbsent(tile.input(), unused -> new ArrayList<>()).add(tile));
    Map<String, KeptInput> kept = new TreeMap<>();
    tiles.forEach((input, folded) -> kept.put(input, together(input, folded)));
    return kept;
  }

  private FoldTile tile(
      List<String> files, String input, TileGrid grid, Place place, StatisticsNeed need) {
    return new FoldTile(
        store, workspace.partials(), files, folder(input), input, grid, place, need, chunkTokens);
  }

  private Location folder(String input) {
    return momentsAlone.contains(input) ? moments : target;
  }

  private static KeptInput together(String input, List<Folded> tiles) {
    Folded first = tiles.get(0);
    return new KeptInput(
        input,
        first.width(),
        first.tokens(),
        first.tokens(),
        UNTOUCHED,
        tiles.stream().flatMap(tile -> tile.files().stream()).toList());
  }

  /** Removes the files of what is not to be kept. */
  void delete(KeptInput unwanted) {
    unwanted.files().forEach(file -> store.delete(folder(unwanted.input()).child(file.name())));
  }
}
