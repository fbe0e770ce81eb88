package io.shardpress.jobs.verify;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.common.json.StrictObject;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.storage.PublishedFile;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The files that a {@code _SUCCESS.json} lists, each under a name that stays in its folder. */
public final class RecordedFiles {
  private RecordedFiles() {}

  /**
   * Parses the document; {@code source} names it in messages.
   *
   * @throws InputException when it is not what a run wrote
   */
  public static List<PublishedFile> parse(String source, byte[] json) {
    StrictObject record = StrictObject.parse(source, json);
    if (!RunRecord.FORMAT.equals(record.text("format"))) {
      throw new InputException(
          "%s is of the format %s; this version reads '%s'. Use the version that wrote it."
              .formatted(source, Printable.quoted(record.text("format")), RunRecord.FORMAT));
    }
    List<PublishedFile> files = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (StrictObject file : record.objects("files")) {
      String name = SafeFileName.check(source, file.text("name"));
      if (!names.add(name)) {
        throw new InputException(
            "%s names %s twice: it was changed or damaged. Run compress again."
                .formatted(source, name));
      }
      files.add(
          new PublishedFile(name, file.number("bytes", 0, Long.MAX_VALUE), file.sha256("sha256")));
    }
    if (files.isEmpty()) {
      throw new InputException(
          "%s names no files, so nothing can be verified: it was changed or damaged. Run compress again."
              .formatted(source));
    }
    return files;
  }
}
