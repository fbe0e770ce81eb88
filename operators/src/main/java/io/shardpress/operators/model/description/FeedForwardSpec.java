package io.shardpress.operators.model.description;

import io.shardpress.operators.model.LinearModule;
import java.util.List;

/** The position-wise half of a block: one network, or a mixture of expert networks. */
public sealed interface FeedForwardSpec permits MlpSpec, ExpertsSpec {

  /** Id of the input that all tokens pass through. */
  String input();

  /** The linears as modules of the checkpoint, in the order they run. */
  List<LinearModule> modules();

  /** The same linears, in the same order. */
  List<LinearSpec> linears();
}
