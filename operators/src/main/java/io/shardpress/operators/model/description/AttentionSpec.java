package io.shardpress.operators.model.description;

import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Causal self-attention: softmax(scale · q·kᵀ)·v per head, then {@code output}.
 *
 * @param headNorms norms over each head of queries and keys, before the rotary embedding
 * @param scale factor on the scores
 * @param softCap scores become {@code cap · tanh(score / cap)}
 * @param window tokens a token sees, itself included; all before it when absent
 */
public record AttentionSpec(
    HeadShape shape,
    QkvSource qkv,
    LinearSpec output,
    Optional<HeadNorms> headNorms,
    Optional<RotarySpec> rotary,
    double scale,
    OptionalDouble softCap,
    OptionalInt window) {

  /** Norms {@code [headSize]} of queries and keys. */
  public record HeadNorms(NormSpec query, NormSpec key) {}

  /** Plain attention: scale {@code 1 / sqrt(headSize)}, no positions, no window. */
  public static AttentionSpec of(HeadShape shape, QkvSource qkv, LinearSpec output) {
    return new AttentionSpec(
        shape,
        qkv,
        output,
        Optional.empty(),
        Optional.empty(),
        1 / Math.sqrt(shape.headSize()),
        OptionalDouble.empty(),
        OptionalInt.empty());
  }

  public AttentionSpec withLinears(QkvSource source, LinearSpec out) {
    return new AttentionSpec(shape, source, out, headNorms, rotary, scale, softCap, window);
  }

  public AttentionSpec withHeadNorms(HeadNorms norms) {
    return new AttentionSpec(
        shape, qkv, output, Optional.of(norms), rotary, scale, softCap, window);
  }

  public AttentionSpec withRotary(RotarySpec rotation) {
    return new AttentionSpec(
        shape, qkv, output, headNorms, Optional.of(rotation), scale, softCap, window);
  }

  public AttentionSpec withScale(double factor) {
    return new AttentionSpec(shape, qkv, output, headNorms, rotary, factor, softCap, window);
  }

  public AttentionSpec withSoftCap(OptionalDouble cap) {
    return new AttentionSpec(shape, qkv, output, headNorms, rotary, scale, cap, window);
  }

  public AttentionSpec withWindow(OptionalInt tokens) {
    return new AttentionSpec(shape, qkv, output, headNorms, rotary, scale, softCap, tokens);
  }

  List<LinearModule> modules() {
    List<LinearModule> modules = new ArrayList<>(qkv.modules());
    modules.add(output.reading(output.ownInput(), Role.ATTENTION));
    return modules;
  }

  List<LinearSpec> linears() {
    List<LinearSpec> linears = new ArrayList<>(qkv.linears());
    linears.add(output);
    return linears;
  }

  List<NormSpec> norms() {
    return headNorms.map(norms -> List.of(norms.query(), norms.key())).orElse(List.of());
  }
}
