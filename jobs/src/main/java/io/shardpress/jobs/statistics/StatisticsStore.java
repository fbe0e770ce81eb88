package io.shardpress.jobs.statistics;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.storage.ParallelCalls;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.SealedJson;
import io.shardpress.jobs.verify.CheckFile;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Statistics on any Hadoop file system: {@code <root>/<address>/} holds those of one {@link
 * CalibrationKey}, its fields in {@code calibration.json}, and for each input some files and a
 * mark, written last, that names them with length and hash. Files have names of their own for every
 * attempt: runs that calibrate the same at once do not meet, and the first mark counts.
 */
public record StatisticsStore(HadoopStore store, Location root) {
  private static final Pattern ADDRESS = Pattern.compile("[0-9a-f]{64}");
  private static final String CALIBRATION = "calibration.json";
  private static final String MARK = ".mark.json";

  /** Where files of statistics under {@code key} belong. */
  public Location folder(CalibrationKey key) {
    return root.child(key.address());
  }

  /**
   * The statistics under {@code key} of those inputs that have any, or that are known to have none.
   *
   * @throws InputException when a mark was damaged or belongs elsewhere
   */
  public Map<String, StoredInput> find(CalibrationKey key, Collection<String> inputs) {
    Map<String, StoredInput> found = new TreeMap<>();
    Location folder = folder(key);
    if (store.list(folder).isEmpty()) {
      return found;
    }
    requireOwn(folder, key);
    ParallelCalls.map(List.copyOf(inputs), input -> read(folder, mark(input))).stream()
        .flatMap(Optional::stream)
        .forEach(kept -> found.put(kept.input(), new StoredInput(folder, kept)));
    found.keySet().retainAll(inputs);
    return found;
  }

  private void requireOwn(Location folder, CalibrationKey key) {
    Optional<CalibrationKey> described = describe(folder).map(Description::key);
    if (described.isPresent() && !described.get().equals(key)) {
      throw damaged(folder, "holds statistics of another calibration than its name says");
    }
  }

  private Optional<KeptInput> read(Location folder, String mark) {
    Location file = folder.child(mark);
    Optional<Mark> found;
    try {
      found =
          SealedJson.read(store, file).map(json -> Json.read(file.toString(), json, Mark.class));
    } catch (InputException e) {
      throw damaged(folder, "has a damaged mark: " + e.getMessage());
    }
    boolean own =
        found
            .filter(one -> one.address().equals(folder.name()))
            .filter(one -> mark(one.kept().input()).equals(mark))
            .isPresent();
    if (found.isPresent() && !own) {
      throw damaged(folder, "has a mark that belongs elsewhere: " + mark);
    }
    return found.map(Mark::kept);
  }

  /**
   * Checks that files are as their marks say.
   *
   * @throws InputException when one is not
   */
  public void check(Tasks tasks, Collection<StoredInput> inputs) {
    List<CheckFile> checks = new ArrayList<>();
    inputs.forEach(
        input ->
            input
                .kept()
                .files()
                .forEach(file -> checks.add(new CheckFile(store, input.folder(), file))));
    try {
      tasks.run("check %d files of statistics".formatted(checks.size()), checks);
    } catch (InputException e) {
      throw damaged(
          inputs.iterator().next().folder(), "is not as it was written: " + e.getMessage());
    }
  }

  private InputException damaged(Location folder, String how) {
    return new InputException(
        "The statistics in %s cannot be used: it %s Remove them with `shardpress stats prune %s --address %s`, and they are collected anew."
            .formatted(folder, how.endsWith(".") ? how : how + ".", root, folder.name()));
  }

  /**
   * Marks what was collected under {@code key}; where another run was first, its result counts and
   * these files go.
   */
  public Map<String, StoredInput> put(
      CalibrationKey key, Origin origin, Collection<KeptInput> collected) {
    Location folder = folder(key);
    describe(folder, key, origin);
    Map<String, StoredInput> stored = new TreeMap<>();
    ParallelCalls.map(List.copyOf(collected), kept -> put(folder, kept))
        .forEach(kept -> stored.put(kept.input(), new StoredInput(folder, kept)));
    return stored;
  }

  private KeptInput put(Location folder, KeptInput kept) {
    Location mark = folder.child(mark(kept.input()));
    ObjectNode content = Json.tree(new Mark(folder.name(), kept));
    try {
      SealedJson.create(store, mark, content);
      return kept;
    } catch (DestinationException e) {
      Optional<KeptInput> first = read(folder, mark(kept.input()));
      if (first.isEmpty()) { // its writer was killed, or there was other trouble
        store.delete(mark);
        SealedJson.create(store, mark, content);
        return kept;
      }
      kept.files().stream()
          .filter(file -> !first.get().files().contains(file))
          .forEach(file -> store.delete(folder.child(file.name())));
      return first.get();
    }
  }

  private record Mark(String address, KeptInput kept) {}

  /**
   * Where statistics came from, for people.
   *
   * @param model location of the model
   * @param data locations of the data
   * @param made when they were first written
   */
  public record Origin(String model, List<String> data, String made) {
    public Origin {
      data = List.copyOf(data);
    }

    public static Origin now(String model, List<String> data) {
      return new Origin(model, data, Instant.now().toString());
    }
  }

  /** What {@code calibration.json} says. */
  record Description(CalibrationKey key, Origin origin) {}

  private void describe(Location folder, CalibrationKey key, Origin origin) {
    if (describe(folder).isEmpty()) {
      store.delete(folder.child(CALIBRATION)); // at most what a killed writer began
      ObjectNode content = Json.tree(origin);
      content.set("fields", key.json());
      try {
        SealedJson.create(store, folder.child(CALIBRATION), content);
      } catch (DestinationException e) {
        if (describe(folder).isEmpty()) { // else another run was faster and said the same
          throw e;
        }
      }
    }
  }

  private Optional<Description> describe(Location folder) {
    Location file = folder.child(CALIBRATION);
    try {
      return SealedJson.read(store, file)
          .map(
              content -> {
                ObjectNode fields = (ObjectNode) content.remove("fields");
                return new Description(
                    CalibrationKey.parse(fields),
                    Json.read(file.toString(), content, Origin.class));
              });
    } catch (InputException | ClassCastException e) {
      throw damaged(folder, "has a damaged %s: %s".formatted(CALIBRATION, e.getMessage()));
    }
  }

  /** Everything that is kept here, by address. */
  public List<KeptCalibration> list() {
    return folders().stream().map(this::calibration).toList();
  }

  private List<Location> folders() {
    return store.list(root).stream()
        .filter(entry -> entry.directory() && ADDRESS.matcher(entry.name()).matches())
        .map(entry -> root.child(entry.name()))
        .toList();
  }

  /**
   * The calibration whose address is, or starts with, {@code start}.
   *
   * @throws InputException when there is none, or more than one
   */
  public KeptCalibration named(String start) {
    List<Location> fitting =
        folders().stream().filter(folder -> folder.name().startsWith(start)).toList();
    if (fitting.size() != 1) {
      throw new InputException(
          "%d calibrations in %s have an address that starts with '%s'. Give one of those that `shardpress stats list %s` shows."
              .formatted(fitting.size(), root, start, root));
    }
    return calibration(fitting.get(0));
  }

  private KeptCalibration calibration(Location folder) {
    try {
      List<String> marks =
          store.list(folder).stream()
              .map(Store.Entry::name)
              .filter(name -> name.endsWith(MARK))
              .toList();
      List<KeptInput> inputs =
          ParallelCalls.map(marks, mark -> read(folder, mark)).stream()
              .flatMap(Optional::stream)
              .toList();
      return new KeptCalibration(folder, describe(folder), inputs, Optional.empty());
    } catch (InputException e) {
      return new KeptCalibration(folder, Optional.empty(), List.of(), Optional.of(e.getMessage()));
    }
  }

  /** Files in a calibration's folder that no mark names: remains of attempts that were killed. */
  List<String> strays(KeptCalibration calibration) {
    List<String> known =
        calibration.inputs().stream()
            .flatMap(kept -> kept.files().stream())
            .map(PublishedFile::name)
            .toList();
    return store.list(calibration.folder()).stream()
        .map(Store.Entry::name)
        .filter(name -> name.endsWith(".safetensors") && !known.contains(name))
        .toList();
  }

  private static String mark(String input) {
    return SafeFileName.encode(input) + MARK;
  }
}
