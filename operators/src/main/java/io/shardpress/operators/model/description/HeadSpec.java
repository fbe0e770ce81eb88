package io.shardpress.operators.model.description;

import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The end of a decoder: {@code cap(weight · project(norm(x)))}.
 *
 * @param norm the final norm
 * @param project a linear from the hidden width to the embedding's, where they differ
 * @param weight tensor {@code [vocabulary, width]}; the embedding's when the two are tied
 * @param own the head as a linear when it is not tied
 * @param softCap logits become {@code cap · tanh(logit / cap)}
 */
public record HeadSpec(
    Optional<NormSpec> norm,
    Optional<LinearSpec> project,
    String weight,
    Optional<LinearSpec> own,
    OptionalDouble softCap) {

  /** A head of its own. */
  public static HeadSpec of(Optional<NormSpec> norm, LinearSpec linear) {
    return new HeadSpec(
        norm, Optional.empty(), linear.weight(), Optional.of(linear), OptionalDouble.empty());
  }

  /** A head that uses the embedding table. */
  public static HeadSpec tied(Optional<NormSpec> norm, String table) {
    return new HeadSpec(norm, Optional.empty(), table, Optional.empty(), OptionalDouble.empty());
  }

  public HeadSpec withProject(Optional<LinearSpec> linear) {
    return new HeadSpec(norm, linear, weight, own, softCap);
  }

  public HeadSpec withSoftCap(OptionalDouble cap) {
    return new HeadSpec(norm, project, weight, own, cap);
  }

  /** The head as a module of the checkpoint; none when tied. */
  public Optional<LinearModule> module() {
    return own.map(linear -> linear.reading(linear.ownInput(), Role.HEAD));
  }

  List<String> tensors() {
    List<String> tensors = new ArrayList<>();
    norm.ifPresent(spec -> tensors.addAll(spec.tensors()));
    project.ifPresent(linear -> tensors.addAll(linear.tensors()));
    tensors.add(weight);
    return tensors;
  }
}
