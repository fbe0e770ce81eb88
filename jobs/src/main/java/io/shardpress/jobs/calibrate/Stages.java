package io.shardpress.jobs.calibrate;

import io.shardpress.jobs.model.OpenModel;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Role;
import io.shardpress.operators.model.WeightSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A forward pass in stages: each block is one, and what the head reads is the last. */
final class Stages {
  private Stages() {}

  /**
   * An observer of a stage whose output nobody reads: what lies behind its last input is left out.
   */
  static InputObserver inputsAlone(InputObserver observer) {
    return new InputsAlone(observer);
  }

  private record InputsAlone(InputObserver observer) implements InputObserver {
    @Override
    public void observe(String input, INDArray x) {
      observer.observe(input, x);
    }

    @Override
    public boolean wantsAllTokens(String input) {
      return observer.wantsAllTokens(input);
    }

    @Override
    public boolean wantsOutput() {
      return false;
    }
  }

  /**
   * Runs one stage: hidden states {@code [tokens, hidden]} before it → behind it, which the caller
   * closes.
   */
  static INDArray run(
      OpenModel model,
      int stage,
      INDArray hidden,
      int length,
      WeightSource weights,
      InputObserver observer) {
    Architecture architecture = model.requireArchitecture();
    if (stage < architecture.blocks()) {
      return architecture.block(stage, hidden, length, weights, observer);
    }
    INDArray normed = architecture.finalNorm(hidden, weights);
    architecture.linears().stream()
        .filter(linear -> linear.role() == Role.HEAD)
        .map(LinearModule::input)
        .forEach(input -> observer.observe(input, normed));
    return normed;
  }
}
