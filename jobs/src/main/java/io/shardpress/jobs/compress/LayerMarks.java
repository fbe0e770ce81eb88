package io.shardpress.jobs.compress;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.storage.ParallelCalls;
import io.shardpress.jobs.storage.SealedJson;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * The marks of a run's solved layers. A mark is named by its layer and step, not by the attempt
 * that made it; it is written once, after the layer's file is whole, and names that file with its
 * length and hash. A file without a mark does not count.
 */
record LayerMarks(HadoopStore store, Workspace workspace) implements Serializable {

  private Location mark(String module, int step, RowSlice rows) {
    return workspace
        .marks()
        .child("%s.%d.%d.json".formatted(SafeFileName.encode(module), step, rows.first()));
  }

  /**
   * Marks {@code solved} as finished and returns what counts: another attempt's result where one
   * was first.
   *
   * @throws EnvironmentException when the other attempt came to other bytes
   */
  SolvedSlice put(SolvedSlice solved) {
    Location mark = mark(solved.module(), solved.step(), solved.rows());
    try {
      SealedJson.create(store, mark, Json.tree(solved));
      return solved;
    } catch (DestinationException e) {
      Optional<SolvedSlice> first = read(mark);
      if (first.isEmpty()) { // its writer was killed, or there was other trouble
        store.delete(mark);
        SealedJson.create(store, mark, Json.tree(solved));
        return solved;
      }
      if (!first.get().agreesWith(solved)) {
        throw new EnvironmentException(
            "Two attempts at %s gave different bytes. The hosts compute differently: set run.kernels to one provider, use hosts of one kind, and start with --restart."
                .formatted(solved.module()),
            e);
      }
      solved.files().forEach(file -> store.delete(workspace.layers().child(file.name())));
      return first.get();
    }
  }

  /**
   * Everything that earlier attempts of the run finished.
   *
   * @throws ResumeRefusedException when a mark was damaged
   */
  List<SolvedSlice> all() {
    List<Location> marks =
        store.list(workspace.marks()).stream()
            .map(Store.Entry::name)
            .map(workspace.marks()::child)
            .toList();
    return ParallelCalls.map(marks, this::readOrRefuse).stream().flatMap(Optional::stream).toList();
  }

  private Optional<SolvedSlice> readOrRefuse(Location mark) {
    try {
      return read(mark);
    } catch (InputException e) {
      throw new ResumeRefusedException(
          "The unfinished run cannot be resumed: %s Add --restart to start anew."
              .formatted(e.getMessage()),
          e);
    }
  }

  private Optional<SolvedSlice> read(Location mark) {
    return SealedJson.read(store, mark)
        .map(content -> Json.read(mark.toString(), content, SolvedSlice.class));
  }
}
