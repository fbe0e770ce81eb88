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

  /** Runs one stage on hidden states {@code [tokens, hidden]}, which become those behind it. */
  static void run(
      OpenModel model,
      int stage,
      INDArray hidden,
      int length,
      WeightSource weights,
      InputObserver observer) {
    Architecture architecture = model.requireArchitecture();
    if (stage < architecture.blocks()) {
      architecture.block(stage, hidden, length, weights, observer);
      return;
    }
    try (INDArray normed = architecture.finalNorm(hidden, weights)) {
      architecture.linears().stream()
          .filter(linear -> linear.role() == Role.HEAD)
          .map(LinearModule::input)
          .forEach(input -> observer.observe(input, normed));
    }
  }
}
