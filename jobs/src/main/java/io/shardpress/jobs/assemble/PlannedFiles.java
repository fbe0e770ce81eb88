package io.shardpress.jobs.assemble;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.storage.SealedJson;
import java.util.ArrayList;
import java.util.List;

/**
 * The names of the files that a run publishes, put down in its workspace before the first of them.
 */
final class PlannedFiles {
  private PlannedFiles() {}

  static void write(Store store, Workspace workspace, List<String> names) {
    ObjectNode content = JsonNodeFactory.instance.objectNode();
    names.forEach(content.putArray("files")::add);
    store.delete(place(workspace)); // an earlier attempt's
    SealedJson.create(store, place(workspace), content);
  }

  /** The names; none when the run did not come that far. */
  static List<String> read(Store store, Workspace workspace) {
    List<String> names = new ArrayList<>();
    try {
      SealedJson.read(store, place(workspace))
          .ifPresent(content -> content.path("files").forEach(name -> names.add(name.asText())));
    } catch (InputException e) {
      return List.of(); // damaged: nothing is deleted by it
    }
    return names.stream().filter(SafeFileName::isSafe).toList();
  }

  private static Location place(Workspace workspace) {
    return workspace.root().child("publishing.json");
  }
}
