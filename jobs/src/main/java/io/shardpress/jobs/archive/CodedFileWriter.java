package io.shardpress.jobs.archive;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.operators.coding.Elements;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Writes a {@link CodedFile}, segment after segment; whoever made the stream closes it. */
final class CodedFileWriter {
  private final OutputStream out;
  private final List<Segment> segments = new ArrayList<>();
  private final List<Integer> parts = new ArrayList<>();
  private long position;

  CodedFileWriter(OutputStream out) throws IOException {
    this.out = out;
    emit(magic());
  }

  private static ByteBuffer magic() {
    return ByteBuffer.wrap(CodedFile.MAGIC.getBytes(StandardCharsets.US_ASCII));
  }

  /** Writes one part of a segment that is about to be described. */
  void part(ByteBuffer coded) throws IOException {
    parts.add(coded.remaining());
    emit(coded);
  }

  /** Writes the head of a segment, before its first part. */
  void head(ByteBuffer head) throws IOException {
    emit(head);
  }

  /** Describes the segment whose head and parts were written. */
  void end(String name, Optional<Elements> elements, long bytes, int headBytes) {
    segments.add(new Segment(name, elements, bytes, headBytes, parts));
    parts.clear();
  }

  /**
   * Writes the directory.
   *
   * @return bytes of the whole file
   */
  long finish() throws IOException {
    ObjectNode directory = JsonNodeFactory.instance.objectNode();
    ArrayNode list = directory.putArray("segments");
    segments.forEach(segment -> list.add(segment.json()));
    byte[] json = directory.toString().getBytes(StandardCharsets.UTF_8);
    if (json.length > CodedFile.MOST_DIRECTORY_BYTES) {
      throw new InputException(
          "The file has too many tensors for an archive: its directory would have %d bytes, and at most %d are read. Write the checkpoint in more files (output.max-shard-size)."
              .formatted(json.length, CodedFile.MOST_DIRECTORY_BYTES));
    }
    ByteBuffer coded = Blocks.encode(ByteBuffer.wrap(json));
    long start = position;
    int length = coded.remaining();
    emit(coded);
    emit(
        ByteBuffer.allocate(CodedFile.TRAILER_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(start)
            .putInt(length)
            .putInt(json.length)
            .put(magic())
            .flip());
    return position;
  }

  private void emit(ByteBuffer bytes) throws IOException {
    out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
    position += bytes.remaining();
  }
}
