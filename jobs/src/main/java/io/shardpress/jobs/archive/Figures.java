package io.shardpress.jobs.archive;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.jobs.recipe.DataSize;
import java.io.Serializable;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/**
 * What an archive, or a file of it, takes; {@code archive.json} itself is not counted.
 *
 * @param kinds the bytes of each kind
 * @param weights that codes stand for
 * @param weightBytes in the archive, of these codes and their masks
 * @param linearBytes the same with the scales, zero points and shapes that go with them
 */
public record Figures(Map<Kind, Figure> kinds, long weights, long weightBytes, long linearBytes)
    implements Serializable {
  static final Figures NONE = new Figures(Map.of(), 0, 0, 0);

  public Figures {
    Map<Kind, Figure> all = new EnumMap<>(Kind.class);
    for (Kind kind : Kind.values()) {
      all.put(kind, kinds.getOrDefault(kind, Figure.NONE));
    }
    kinds = all;
  }

  /** A copy; by kind, none left out. */
  @Override
  public Map<Kind, Figure> kinds() {
    return new EnumMap<>(kinds);
  }

  Figures plus(Kind kind, Figure figure) {
    return plus(new Figures(Map.of(kind, figure), 0, 0, 0));
  }

  Figures plus(Figures other) {
    Map<Kind, Figure> sums = kinds();
    other.kinds.forEach((kind, figure) -> sums.merge(kind, figure, Figure::plus));
    return new Figures(
        sums,
        weights + other.weights,
        weightBytes + other.weightBytes,
        linearBytes + other.linearBytes);
  }

  Figure total() {
    return kinds.values().stream().reduce(Figure.NONE, Figure::plus);
  }

  double bitsPerWeight() {
    return 8.0 * weightBytes / weights;
  }

  double linearBitsPerWeight() {
    return 8.0 * linearBytes / weights;
  }

  /** For the manifest; for people and programs that compare, never read again. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    kinds.forEach((kind, figure) -> json.set(kind.key(), json(figure)));
    json.set("total", json(total()));
    if (weights > 0) {
      json.put("weights", weights);
      json.put("bits_per_weight", bitsPerWeight());
      json.put("linear_bits_per_weight", linearBitsPerWeight());
    }
    return json;
  }

  private static ObjectNode json(Figure figure) {
    ObjectNode json =
        JsonNodeFactory.instance
            .objectNode()
            .put("source_bytes", figure.sourceBytes())
            .put("archive_bytes", figure.archiveBytes())
            .put("bound_bytes", (long) Math.ceil(figure.boundBytes()));
    return figure.boundBytes() == 0 ? json.putNull("ratio") : json.put("ratio", figure.ratio());
  }

  /** A table for people. */
  public String text() {
    StringBuilder text = new StringBuilder();
    line(text, "", "source", "archive", "bound", "archive/bound");
    kinds.forEach(
        (kind, figure) -> {
          if (figure.sourceBytes() + figure.archiveBytes() > 0) {
            line(text, kind.key(), figure);
          }
        });
    line(text, "total", total());
    if (weights > 0) {
      text.append(
          String.format(
              Locale.ROOT,
              "bits per weight of compressed linears: %.3f in codes and masks, %.3f with their"
                  + " scales%n",
              bitsPerWeight(),
              linearBitsPerWeight()));
    }
    return text.toString().stripTrailing();
  }

  private static void line(StringBuilder text, String name, Figure figure) {
    line(
        text,
        name,
        figure.sourceBytes() == 0 ? "-" : new DataSize(figure.sourceBytes()).toString(),
        new DataSize(figure.archiveBytes()).toString(),
        new DataSize((long) Math.ceil(figure.boundBytes())).toString(),
        figure.boundBytes() == 0 ? "-" : String.format(Locale.ROOT, "%.4f", figure.ratio()));
  }

  private static void line(StringBuilder text, String name, String... columns) {
    text.append("%-7s".formatted(name));
    for (String column : columns) {
      text.append("%14s".formatted(column));
    }
    text.append(System.lineSeparator());
  }
}
