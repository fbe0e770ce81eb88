package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Finds the files that files, folders and globs name. */
final class DataFiles {
  private final Store store;

  private DataFiles(Store store) {
    this.store = store;
  }

  /** Distinct files in the order of their paths; a name that leads to none is an InputException. */
  static List<DataFile> resolve(Store store, List<String> names) {
    DataFiles files = new DataFiles(store);
    TreeMap<String, Location> byPath = new TreeMap<>();
    for (String name : names) {
      files.named(Location.of(name)).forEach(file -> byPath.put(file.uri(), file));
    }
    List<DataFile> ordered = new ArrayList<>();
    for (Location file : byPath.values()) {
      DataFormat format = DataFormat.of(file.name()).orElseThrow(() -> unknownFormat(file));
      ordered.add(new DataFile(ordered.size(), file, format));
    }
    return ordered;
  }

  private List<Location> named(Location name) {
    if (isGlob(name.path())) {
      List<Location> matches = matches(name);
      if (matches.isEmpty()) {
        throw new InputException(
            "No file matches the data %s. Check the pattern and the folder.".formatted(name));
      }
      return matches;
    }
    Store.Entry entry =
        entry(name)
            .orElseThrow(
                () ->
                    new InputException(
                        "There is no data at %s. Check the path, and that it is visible from every machine."
                            .formatted(name)));
    return entry.directory() ? inFolder(name) : List.of(name);
  }

  /** Hidden names and marks such as {@code _SUCCESS} are no data. */
  private List<Location> inFolder(Location folder) {
    List<Location> files =
        store.list(folder).stream()
            .filter(entry -> !entry.directory() && !entry.name().matches("[._].*"))
            .filter(entry -> DataFormat.of(entry.name()).isPresent())
            .map(entry -> folder.child(entry.name()))
            .toList();
    if (files.isEmpty()) {
      throw new InputException(
          "The data folder %s holds no file ending in %s. Name the files, or another folder."
              .formatted(folder, DataFormat.ENDINGS));
    }
    return files;
  }

  /** Files that a pattern names, found segment by segment. */
  private List<Location> matches(Location pattern) {
    String path = pattern.path();
    String root = pattern.uri().substring(0, pattern.uri().length() - path.length());
    String[] segments = path.substring(1).split("/", -1);
    List<Location> level = List.of(new Location(root + "/"));
    for (int i = 0; i < segments.length; i++) {
      boolean last = i == segments.length - 1;
      String segment = segments[i];
      level = level.stream().flatMap(folder -> children(folder, segment, last).stream()).toList();
    }
    return level;
  }

  private List<Location> children(Location folder, String segment, boolean file) {
    if (!isGlob(segment)) {
      Location child = folder.child(segment);
      return !file || entry(child).filter(e -> !e.directory()).isPresent()
          ? List.of(child)
          : List.of();
    }
    Pattern names =
        Pattern.compile(("\\Q" + segment + "\\E").replace("*", "\\E.*\\Q").replace("?", "\\E.\\Q"));
    return store.list(folder).stream()
        .filter(entry -> entry.directory() != file && names.matcher(entry.name()).matches())
        .map(entry -> folder.child(entry.name()))
        .toList();
  }

  private Optional<Store.Entry> entry(Location location) {
    if (location.path().equals("/")) {
      return Optional.of(new Store.Entry("", 0, true));
    }
    return store.list(location.parent()).stream()
        .filter(entry -> entry.name().equals(location.name()))
        .findFirst();
  }

  private static boolean isGlob(String text) {
    return text.contains("*") || text.contains("?");
  }

  private static InputException unknownFormat(Location file) {
    return new InputException(
        "The format of the data file %s is not known: its name ends in none of %s. Convert or rename it."
            .formatted(file, DataFormat.ENDINGS));
  }
}
