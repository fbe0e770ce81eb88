package io.shardpress.common.checkpoint;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.Store;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** The names in a checkpoint's folder, and the way to its files: none leads outside. */
record CheckpointFolder(Store store, Location location, SortedSet<String> names) {

  static CheckpointFolder list(Store store, Location location) {
    SortedSet<String> names = new TreeSet<>();
    for (Store.Entry entry : store.list(location)) {
      if (!entry.directory()) {
        names.add(entry.name());
      }
    }
    if (names.isEmpty()) {
      throw new InputException(
          "There is no checkpoint in %s: the folder does not exist or has no files. Check the path, and that it is visible from every machine."
              .formatted(location));
    }
    return new CheckpointFolder(store, location, names);
  }

  boolean has(String name) {
    return names.contains(name);
  }

  /** The location of a file; refused when a link in its place leads out of the folder. */
  Location file(String name) {
    Location file = location.child(name);
    Location target = store.resolve(file);
    if (!target.isWithin(store.resolve(location))) {
      throw new CheckpointFormatException(
          Code.UNSAFE_FILE_NAME,
          "%s is a link to %s, outside the checkpoint's folder, and is not followed. Copy the files themselves into one folder (cp -L, or huggingface-cli download --local-dir)."
              .formatted(file, target));
    }
    return file;
  }

  void refuseWithoutWeights() {
    if (!has(Checkpoint.SINGLE) && !has(Checkpoint.INDEX)) {
      List<String> foreign = names.stream().filter(FileKinds::isForeignWeights).toList();
      if (!foreign.isEmpty()) {
        throw FileKinds.refusal(
            "%s holds weights only as %s"
                .formatted(location, Printable.excerpt(String.join(", ", foreign))));
      }
      throw new InputException(
          "%s holds neither %s nor %s. Name the folder of a checkpoint in safetensors format."
              .formatted(location, Checkpoint.SINGLE, Checkpoint.INDEX));
    }
    if (!has(Checkpoint.CONFIG)) {
      throw new InputException(
          "%s has no %s. Download the model again, with all its files."
              .formatted(location, Checkpoint.CONFIG));
    }
  }

  List<Location> companions() {
    return names.stream()
        .filter(name -> FileKinds.isCompanion(name) && SafeFileName.isSafe(name))
        .map(this::file)
        .toList();
  }

  List<String> refused() {
    return names.stream()
        .filter(
            name ->
                FileKinds.isRefused(name)
                    || (FileKinds.isCompanion(name) && !SafeFileName.isSafe(name)))
        .toList();
  }
}
