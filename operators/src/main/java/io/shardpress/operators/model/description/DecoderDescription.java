package io.shardpress.operators.model.description;

import java.util.List;
import java.util.stream.Stream;

/**
 * A decoder-only model, completely: every tensor it reads and what is done with it.
 *
 * @param family the {@code model_type}
 * @param hidden width of the hidden states
 * @param contextLength longest sequence, in tokens
 */
public record DecoderDescription(
    String family,
    int hidden,
    int vocabulary,
    int contextLength,
    EmbeddingSpec embedding,
    List<BlockSpec> blocks,
    HeadSpec head) {
  public DecoderDescription {
    blocks = List.copyOf(blocks);
  }

  /** Names of all tensors that a forward pass reads. */
  public List<String> tensors() {
    return Stream.of(
            embedding.tensors().stream(),
            linears().flatMap(linear -> linear.tensors().stream()),
            blocks.stream().flatMap(BlockSpec::norms).flatMap(norm -> norm.tensors().stream()),
            head.tensors().stream())
        .flatMap(names -> names)
        .distinct()
        .toList();
  }

  /** The linears of all blocks. */
  public Stream<LinearSpec> linears() {
    return blocks.stream().flatMap(BlockSpec::linears);
  }
}
