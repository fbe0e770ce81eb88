package io.shardpress.jobs.archive;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.json.StrictObject;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.jobs.storage.PublishedFile;
import java.io.Serializable;

/**
 * One file of a checkpoint, and the one of the archive that it comes back from.
 *
 * @param original as it is in the checkpoint
 * @param coded as it is in the archive
 */
public record ArchivedFile(PublishedFile original, PublishedFile coded) implements Serializable {
  private static final String SUFFIX = ".coded";

  /** The name in the archive of a file of the checkpoint. */
  static String codedName(String name) {
    return name + SUFFIX;
  }

  ObjectNode json() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("name", original.name())
        .put("bytes", original.bytes())
        .put("sha256", original.sha256())
        .put("coded", coded.name())
        .put("coded_bytes", coded.bytes())
        .put("coded_sha256", coded.sha256());
  }

  static ArchivedFile parse(StrictObject json) {
    return new ArchivedFile(
        new PublishedFile(
            SafeFileName.check(json.source(), json.text("name")),
            json.number("bytes", 0, Long.MAX_VALUE),
            json.sha256("sha256")),
        new PublishedFile(
            SafeFileName.check(json.source(), json.text("coded")),
            json.number("coded_bytes", 0, Long.MAX_VALUE),
            json.sha256("coded_sha256")));
  }
}
