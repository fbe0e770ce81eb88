package io.shardpress.operators.model.description;

import io.shardpress.operators.model.LinearModule;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** One block of a decoder. */
public record BlockSpec(
    AttentionSpec attention, FeedForwardSpec feedForward, ResidualSpec residual) {

  /** The linears as modules of the checkpoint, in the order they run. */
  public List<LinearModule> modules() {
    List<LinearModule> modules = new ArrayList<>(attention.modules());
    modules.addAll(feedForward.modules());
    return modules;
  }

  Stream<LinearSpec> linears() {
    return Stream.concat(attention.linears().stream(), feedForward.linears().stream());
  }

  Stream<NormSpec> norms() {
    return Stream.concat(residual.norms().stream(), attention.norms().stream());
  }
}
