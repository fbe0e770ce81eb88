package io.shardpress.jobs.calibrate;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.SealedJson;
import io.shardpress.jobs.verify.CheckFile;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The hidden states that passes kept in the workspace: per stage a file for every chunk, and a mark
 * that names them, written when all are whole.
 */
final class KeptActivations {
  private static final String MARK = "kept.json";

  private final HadoopStore store;
  private final Workspace workspace;
  private final TreeMap<Integer, List<PublishedFile>> stages = new TreeMap<>();

  KeptActivations(HadoopStore store, Workspace workspace) {
    this.store = store;
    this.workspace = workspace;
  }

  private record Mark(List<PublishedFile> files) {}

  /**
   * Finds what an earlier attempt kept, and checks that it is as it was written.
   *
   * @param stages of the model
   */
  void resume(Tasks tasks, int stages) {
    for (int stage = stages; stage > 0; stage--) {
      Optional<List<PublishedFile>> files = read(stage);
      if (files.isPresent()) {
        check(tasks, stage, files.get());
        this.stages.put(stage, files.get());
        return; // earlier ones are not needed any more
      }
    }
  }

  private Optional<List<PublishedFile>> read(int stage) {
    Location mark = workspace.activations(stage).child(MARK);
    try {
      return SealedJson.read(store, mark)
          .map(content -> Json.read(mark.toString(), content, Mark.class).files());
    } catch (InputException e) {
      throw refused(e);
    }
  }

  private void check(Tasks tasks, int stage, List<PublishedFile> files) {
    try {
      tasks.run(
          "resume: check %d files of activations".formatted(files.size()),
          files.stream()
              .map(file -> new CheckFile(store, workspace.activations(stage), file))
              .toList());
    } catch (InputException e) {
      throw refused(e);
    }
  }

  private static ResumeRefusedException refused(InputException e) {
    return new ResumeRefusedException(
        "The unfinished run cannot be resumed: %s Add --restart to start anew."
            .formatted(e.getMessage()),
        e);
  }

  /** The last stage up to this one at which states were kept; 0, the embedding, where none were. */
  int before(int stage) {
    return Optional.ofNullable(stages.floorKey(stage)).orElse(0);
  }

  /** The file of one chunk; none for the embedding. */
  List<PublishedFile> of(int stage, int chunk) {
    return stage == 0 ? List.of() : List.of(stages.get(stage).get(chunk));
  }

  /** Marks what a pass has kept, in the order of chunks; what lies before is of no use any more. */
  void put(int stage, List<PublishedFile> files) {
    Location mark = workspace.activations(stage).child(MARK);
    store.delete(mark);
    SealedJson.create(store, mark, Json.tree(new Mark(files)));
    for (Map.Entry<Integer, List<PublishedFile>> older : stages.headMap(stage).entrySet()) {
      store.delete(workspace.activations(older.getKey()));
    }
    stages.clear();
    stages.put(stage, List.copyOf(files));
  }
}
