package io.shardpress.jobs.run;

import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Writes the revision of the code as the build sees it: a hash over its source files. Work that
 * other code left is not mixed with this code's.
 */
public final class CodeRevision {
  private CodeRevision() {}

  /** Takes the file to write, then the folders and files that are the code. */
  public static void main(String[] arguments) throws IOException {
    Path target = Path.of(arguments[0]);
    Sha256 hash = new Sha256();
    for (String place : List.of(arguments).subList(1, arguments.length)) {
      add(Path.of(place), hash);
    }
    Files.createDirectories(target.toAbsolutePath().getParent());
    Files.writeString(target, hash.hex());
  }

  private static void add(Path place, Sha256 hash) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(place)) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      String name = place.relativize(file).toString().replace('\\', '/');
      byte[] content = Files.readAllBytes(file);
      String head = "\n%s %d\n".formatted(name, content.length);
      hash.add(ByteBuffer.wrap(head.getBytes(StandardCharsets.UTF_8)));
      hash.add(ByteBuffer.wrap(content));
    }
  }
}
