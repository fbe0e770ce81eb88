package io.shardpress.operators.model.description;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How token ids become hidden states: {@code project(scale · table[id]) + positions[position]}.
 *
 * @param table tensor {@code [vocabulary, width]}
 * @param project a linear from the table's width to the hidden one, where they differ
 */
public record EmbeddingSpec(
    String table, double scale, Optional<LinearSpec> project, Optional<Positions> positions) {

  /** Learned positions: token t of a sequence gets row {@code t + offset}. */
  public record Positions(String table, int offset) {}

  /** Rows of a table as they are. */
  public static EmbeddingSpec of(String table) {
    return new EmbeddingSpec(table, 1, Optional.empty(), Optional.empty());
  }

  public EmbeddingSpec withScale(double factor) {
    return new EmbeddingSpec(table, factor, project, positions);
  }

  public EmbeddingSpec withPositions(Positions learned) {
    return new EmbeddingSpec(table, scale, project, Optional.of(learned));
  }

  public EmbeddingSpec withProject(Optional<LinearSpec> linear) {
    return new EmbeddingSpec(table, scale, linear, positions);
  }

  List<String> tensors() {
    List<String> tensors = new ArrayList<>(List.of(table));
    project.ifPresent(linear -> tensors.addAll(linear.tensors()));
    positions.ifPresent(learned -> tensors.add(learned.table()));
    return tensors;
  }
}
