package io.shardpress.common.safetensors;

import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A safetensors file before it is written: which byte goes where. Tensors lie by descending type
 * rank, then by name in UTF-8 order, as the reference writer has them, so every tensor is aligned
 * and equal contents give equal bytes. The metadata always says {@code format: pt}, which loaders
 * insist on.
 */
public final class SafetensorsLayout {
  private static final int ALIGNMENT = 8;

  private final List<TensorSpec> specs;
  private final SafetensorsHeader header;
  private final byte[] headerBytes;
  private final long totalLength;

  private SafetensorsLayout(List<TensorSpec> specs, Map<String, String> metadata) {
    this.specs = List.copyOf(specs);
    TreeMap<String, String> complete = new TreeMap<>(utf8Order());
    complete.put("format", "pt");
    complete.putAll(metadata);
    this.headerBytes = headerBytes(specs, complete);
    Map<String, Entry> entries = new LinkedHashMap<>();
    long position = headerBytes.length;
    for (TensorSpec spec : specs) {
      long end = Math.addExact(position, spec.bytes());
      entries.put(spec.name(), new Entry(spec, position, end));
      position = end;
    }
    this.header = new SafetensorsHeader(complete, entries);
    this.totalLength = position;
  }

  /** A file with these tensors, whatever their order here. */
  public static SafetensorsLayout of(Collection<TensorSpec> specs) {
    return of(specs, Map.of());
  }

  /** A file with these tensors and metadata. */
  public static SafetensorsLayout of(Collection<TensorSpec> specs, Map<String, String> metadata) {
    List<TensorSpec> ordered = new ArrayList<>(specs);
    ordered.sort(
        Comparator.comparing(TensorSpec::dtype)
            .reversed()
            .thenComparing(TensorSpec::name, utf8Order()));
    Set<String> taken = new HashSet<>(Set.of("__metadata__"));
    for (TensorSpec spec : ordered) {
      if (!taken.add(spec.name())) {
        throw new IllegalArgumentException(
            "Tensor name '" + spec.name() + "' is reserved or occurs twice in one file");
      }
      if (Math.multiplyExact(spec.elements(), spec.dtype().bits()) % 8 != 0) {
        throw new IllegalArgumentException(spec + " ends inside a byte");
      }
    }
    return new SafetensorsLayout(ordered, metadata);
  }

  /** The tensors in the order of their data. */
  public List<TensorSpec> specs() {
    return specs;
  }

  /** What a reader of the finished file will find. */
  public SafetensorsHeader header() {
    return header;
  }

  /** All bytes before the data: the length, the JSON and its padding. A fresh copy. */
  public byte[] headerBytes() {
    return headerBytes.clone();
  }

  /** Length of the finished file in bytes. */
  public long totalLength() {
    return totalLength;
  }

  private static Comparator<String> utf8Order() {
    return (a, b) ->
        Arrays.compareUnsigned(
            a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] headerBytes(List<TensorSpec> specs, Map<String, String> metadata) {
    StringBuilder json = new StringBuilder("{\"__metadata__\":{");
    String separator = "";
    for (Map.Entry<String, String> field : metadata.entrySet()) {
      json.append(separator);
      appendString(json, field.getKey());
      json.append(':');
      appendString(json, field.getValue());
      separator = ",";
    }
    json.append('}');
    long position = 0;
    for (TensorSpec spec : specs) {
      json.append(',');
      appendString(json, spec.name());
      json.append(":{\"dtype\":\"").append(spec.dtype()).append("\",\"shape\":[");
      for (int i = 0; i < spec.shape().size(); i++) {
        json.append(i == 0 ? "" : ",").append(spec.shape().get(i));
      }
      json.append("],\"data_offsets\":[").append(position).append(',');
      position = Math.addExact(position, spec.bytes());
      json.append(position).append("]}");
    }
    byte[] text = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    int padded = (text.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (padded > SafetensorsHeader.MAX_JSON_BYTES) {
      throw new IllegalArgumentException(
          "The header of %d tensors would have %d bytes; the format allows %d"
              .formatted(specs.size(), padded, SafetensorsHeader.MAX_JSON_BYTES));
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(SafetensorsHeader.PREFIX_BYTES + padded)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(padded)
            .put(text);
    Arrays.fill(bytes.array(), bytes.position(), bytes.capacity(), (byte) ' ');
    return bytes.array();
  }

  /** Escapes quotes, backslashes and control characters, and nothing else. */
  private static void appendString(StringBuilder json, String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException(HeaderErrors.quoted(text) + " is not Unicode text");
    }
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\b' -> json.append("\\b");
        case '\t' -> json.append("\\t");
        case '\n' -> json.append("\\n");
        case '\f' -> json.append("\\f");
        case '\r' -> json.append("\\r");
        default -> {
          if (c < ' ') {
            json.append("\\u%04x".formatted((int) c));
          } else {
            json.append(c);
          }
        }
      }
    }
    json.append('"');
  }
}
