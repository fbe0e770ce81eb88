package io.shardpress.operators.model.family;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.HeadSpec;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.NormSpec;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The tensors of a checkpoint by name, for what a configuration leaves open. */
record TensorNames(Set<String> names) {

  /** The first prefix under which {@code tensor} exists: checkpoints with and without a head. */
  String prefix(String tensor, String... prefixes) {
    return Stream.of(prefixes)
        .filter(prefix -> names.contains(prefix + tensor))
        .findFirst()
        .orElseThrow(
            () ->
                new InputException(
                    ("The checkpoint has no tensor %s%s, which this model type needs. Its"
                            + " config.json and its weights do not belong together.")
                        .formatted(prefixes[0], tensor)));
  }

  /** Blocks 0 to {@code count - 1}. A block has tensors: a count beyond all of them is refused. */
  List<BlockSpec> blocks(int count, IntFunction<BlockSpec> block) {
    require("blocks", count, "", names.size());
    return IntStream.range(0, count).mapToObj(block).toList();
  }

  /**
   * Experts by their paths, {@code prefix} and a number.
   *
   * @throws InputException when there are more than tensors under the prefix
   */
  List<MlpSpec.Gated> experts(String prefix, int count, Function<String, MlpSpec.Gated> expert) {
    long tensors = names.stream().filter(name -> name.startsWith(prefix)).count();
    require("experts", count, " under " + prefix, tensors);
    return IntStream.range(0, count).mapToObj(e -> expert.apply(prefix + e)).toList();
  }

  private static void require(String what, int count, String where, long tensors) {
    if (count > tensors) {
      throw new InputException(
          ("config.json describes %d %s, but the checkpoint has only %d tensors%s. The download is"
                  + " incomplete, or the configuration does not belong to these weights.")
              .formatted(count, what, tensors, where));
    }
  }

  /** The head: its own weight where the checkpoint has one, or else the embedding if tied. */
  HeadSpec head(NormSpec norm, LinearSpec own, String embedding, Tying tying) {
    return head(Optional.of(norm), own, embedding, tying);
  }

  HeadSpec head(Optional<NormSpec> norm, LinearSpec own, String embedding, Tying tying) {
    boolean isTied = tying == Tying.TIED && !names.contains(own.weight());
    return isTied ? HeadSpec.tied(norm, embedding) : HeadSpec.of(norm, own);
  }

  /** Refuses a description that reads tensors which are not there, or leaves out a bias that is. */
  DecoderDescription checked(DecoderDescription description) {
    List<String> missing =
        description.tensors().stream().filter(name -> !names.contains(name)).toList();
    if (!missing.isEmpty()) {
      throw new InputException(
          ("The checkpoint lacks %d tensors that its config.json (model_type %s) describes, the"
                  + " first is %s. The download is incomplete, or the configuration does not belong"
                  + " to these weights.")
              .formatted(missing.size(), description.family(), missing.get(0)));
    }
    description
        .linears()
        .filter(linear -> !linear.hasBias() && names.contains(linear.bias()))
        .findFirst()
        .ifPresent(
            linear -> {
              throw new InputException(
                  ("The checkpoint has the tensor %s, but config.json (model_type %s) describes %s"
                          + " without a bias. Running it would give another model's results.")
                      .formatted(linear.bias(), description.family(), linear.module()));
            });
    refuseMoreBlocks(description);
    return description;
  }

  private void refuseMoreBlocks(DecoderDescription description) {
    if (description.blocks().isEmpty()) {
      return;
    }
    String module = description.blocks().get(0).modules().get(0).name();
    String next =
        module.substring(0, module.indexOf(".0.") + 1) + description.blocks().size() + ".";
    names.stream()
        .filter(name -> name.startsWith(next))
        .findFirst()
        .ifPresent(
            name -> {
              throw new InputException(
                  ("The checkpoint has the tensor %s, but its config.json (model_type %s) describes"
                          + " only %d blocks. The configuration does not belong to these weights.")
                      .formatted(name, description.family(), description.blocks().size()));
            });
  }

  /** Whether the head may share the embedding's weight. */
  enum Tying {
    TIED,
    SEPARATE
  }
}
