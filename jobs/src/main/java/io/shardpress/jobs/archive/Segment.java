package io.shardpress.jobs.archive;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.json.StrictObject;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.coding.ByteElements;
import io.shardpress.operators.coding.Elements;
import io.shardpress.operators.coding.FloatElements;
import io.shardpress.operators.coding.PackedCodes;
import io.shardpress.operators.coding.TensorCoding;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Neighbouring bytes of a file of a checkpoint, and how they are coded: a tensor's elements, or
 * bytes as they come.
 *
 * @param name of the tensor, or empty
 * @param elements empty for bytes as they come
 * @param bytes of the checkpoint's file
 * @param headBytes of the tables before the first part
 * @param parts coded bytes of each part
 */
record Segment(
    String name, Optional<Elements> elements, long bytes, int headBytes, List<Integer> parts) {
  private static final String BYTES = "zstd";
  private static final String PACKED = "packed";
  private static final String SINGLE = "byte";

  Segment {
    parts = List.copyOf(parts);
  }

  /** Bytes of every part but the last, before coding. */
  static int partBytes(Optional<Elements> elements) {
    return elements.map(Elements::partBytes).orElse(Blocks.BYTES);
  }

  /** Bytes of a part before coding. */
  int partBytes(int part) {
    int most = partBytes(elements);
    return (int) Math.min(most, bytes - (long) part * most);
  }

  long codedBytes() {
    return headBytes + parts.stream().mapToLong(Integer::longValue).sum();
  }

  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("name", name).put("bytes", bytes);
    elements.ifPresentOrElse(
        kind -> describe(kind, json.put("head", headBytes)), () -> json.put("coding", BYTES));
    ArrayNode lengths = json.putArray("parts");
    parts.forEach(lengths::add);
    return json;
  }

  private static void describe(Elements elements, ObjectNode json) {
    if (elements instanceof PackedCodes packed) {
      json.put("coding", PACKED).put("bits", packed.bits()).put("columns", packed.columns());
    } else if (elements instanceof FloatElements floats) {
      json.put("coding", floats.type().name().toLowerCase(Locale.ROOT));
    } else {
      json.put("coding", SINGLE);
    }
  }

  /** Reads what {@link #json} wrote; what cannot be a segment is an error. */
  static Segment parse(StrictObject json) {
    Optional<Elements> elements = elements(json);
    int head =
        elements.isPresent() ? (int) json.number("head", 1, TensorCoding.MOST_HEAD_BYTES) : 0;
    Segment segment =
        new Segment(
            json.text("name"),
            elements,
            json.number("bytes", 0, Long.MAX_VALUE),
            head,
            json.integers("parts", 0));
    segment.check(json.source());
    return segment;
  }

  private static Optional<Elements> elements(StrictObject json) {
    String coding = json.text("coding");
    return switch (coding) {
      case BYTES -> Optional.empty();
      case SINGLE -> Optional.of(new ByteElements());
      case PACKED ->
          Optional.of(
              new PackedCodes(
                  (int) json.number("bits", 1, 8),
                  (int) json.number("columns", 1, PackedCodes.MOST_COLUMNS)));
      default ->
          Optional.of(
              new FloatElements(
                  DType.named(coding.toUpperCase(Locale.ROOT))
                      .filter(DType::isWeightFloat)
                      .orElseThrow(
                          () -> CodedFile.damaged(json.source(), "its coding is unknown"))));
    };
  }

  /** Nothing is set aside for a part that could not be one. */
  private void check(String source) {
    int unit = elements.map(Elements::unitBytes).orElse(1);
    int most = partBytes(elements);
    long count = bytes / most + (bytes % most == 0 ? 0 : 1);
    if (bytes % unit != 0 || count != parts.size()) {
      throw CodedFile.damaged(
          source, "%d bytes are not in %d parts".formatted(bytes, parts.size()));
    }
    for (int part = 0; part < parts.size(); part++) {
      int length = partBytes(part);
      long longest = elements.map(of -> TensorCoding.mostBytes(of, length)).orElse((long) length);
      if (parts.get(part) > longest) {
        throw CodedFile.damaged(
            source, "a part of %d bytes has %d".formatted(length, parts.get(part)));
      }
    }
  }
}
