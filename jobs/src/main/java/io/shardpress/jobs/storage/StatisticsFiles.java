package io.shardpress.jobs.storage;

import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import io.shardpress.operators.statistics.TileGrid;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which safetensors files hold statistics. Those of one input, folded, are {@code
 * <input>.safetensors} with the moments, and with the Gram where that is a single tile; each of
 * several tiles has a file of its own, {@code <input>.gram.<i>.<j>.safetensors}, because a task of
 * its own writes it.
 */
public final class StatisticsFiles {
  private static final String SUFFIX = ".safetensors";

  private StatisticsFiles() {}

  /** The files of an input of this width in the folder of statistics; the moments' comes first. */
  public static List<String> of(String input, int width) {
    TileGrid grid = TileGrid.of(width);
    List<String> files = new ArrayList<>(List.of(moments(input)));
    grid.places().stream()
        .map(place -> tile(input, grid, place))
        .filter(file -> !files.contains(file))
        .forEach(files::add);
    return List.copyOf(files);
  }

  /** The file that holds the moments. */
  public static String moments(String input) {
    return input + SUFFIX;
  }

  /** The file that holds a tile. */
  public static String tile(String input, TileGrid grid, Place place) {
    return grid.count() == 1
        ? moments(input)
        : "%s.gram.%d.%d%s".formatted(input, place.row(), place.column(), SUFFIX);
  }

  /** Every tensor of the statistics of an input, by name, for {@link StoredStatistics#read}. */
  public static Map<String, TensorSource> sources(
      Store store, Location folder, String input, int width) {
    Map<String, TensorSource> tensors = new HashMap<>();
    for (String file : of(input, width)) {
      tensors.putAll(TensorFiles.sources(store, folder.child(file)));
    }
    return tensors;
  }

  /**
   * Streams statistics of several inputs to one file, and tensors of other kinds beside them; of a
   * Gram only the upper triangle is read.
   */
  public static void write(
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
