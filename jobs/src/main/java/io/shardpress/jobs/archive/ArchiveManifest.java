package io.shardpress.jobs.archive;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.common.json.StrictObject;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.assemble.Publisher;
import io.shardpress.jobs.storage.SealedJson;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an archive holds: {@code archive.json}, written last, so that a folder without it is none.
 * It carries its own hash, and those of all files before and after.
 *
 * @param files of the checkpoint, by name; at least one
 */
record ArchiveManifest(List<ArchivedFile> files) {
  static final String FILE_NAME = "archive.json";
  static final String FORMAT = "shardpress-archive/1";

  /** No folder without it is a checkpoint, whoever wrote it. */
  private static final String CONFIG = "config.json";

  ArchiveManifest {
    files = List.copyOf(files);
  }

  /** The document, without its seal. */
  ObjectNode json(Figures figures) {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("format", FORMAT);
    ArrayNode list = json.putArray("files");
    files.forEach(file -> list.add(file.json()));
    json.set("figures", figures.json());
    return json;
  }

  /**
   * Reads the manifest of an archive.
   *
   * @throws InputException when there is none, or none that can be trusted
   */
  static ArchiveManifest read(Store store, Location archive) {
    Location file = archive.child(FILE_NAME);
    ObjectNode json =
        SealedJson.read(store, file)
            .orElseThrow(
                () ->
                    new InputException(
                        "%s holds no complete %s, so it is no archive, or was not written to its end. Name the folder of an archive, or make it anew with shardpress archive."
                            .formatted(archive, FILE_NAME)));
    return parse(new StrictObject(file.toString(), json));
  }

  private static ArchiveManifest parse(StrictObject json) {
    if (!FORMAT.equals(json.text("format"))) {
      throw new InputException(
          "%s is of the format %s; this version reads '%s'. Use the version that wrote it."
              .formatted(json.source(), Printable.quoted(json.text("format")), FORMAT));
    }
    List<ArchivedFile> files = new ArrayList<>();
    Set<String> originals = new HashSet<>();
    for (StrictObject entry : json.objects("files")) {
      ArchivedFile file = ArchivedFile.parse(entry);
      if (!originals.add(file.original().name())) {
        throw new InputException(
            "%s names %s twice: it was changed or damaged. Copy the archive again from where it is whole."
                .formatted(json.source(), file.original().name()));
      }
      if (Checkpoint.isRefused(file.original().name())) {
        throw new InputException(
            "%s would give back '%s': weights in other formats and code are never copied, so no archive holds them. Do not use this one."
                .formatted(json.source(), file.original().name()));
      }
      files.add(file);
    }
    if (!originals.contains(CONFIG)) {
      throw new InputException(
          "%s names no %s, so what it archives is no checkpoint: it was changed or damaged. Copy the archive again from where it is whole."
              .formatted(json.source(), CONFIG));
    }
    return new ArchiveManifest(files);
  }

  /** The file without which the restored folder is no checkpoint, to be written last. */
  ArchivedFile last() {
    return find(Publisher.SUCCESS).or(() -> find(CONFIG)).orElseThrow();
  }

  private Optional<ArchivedFile> find(String name) {
    return files.stream().filter(file -> file.original().name().equals(name)).findFirst();
  }
}
