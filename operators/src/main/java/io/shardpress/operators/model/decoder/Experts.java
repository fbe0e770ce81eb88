package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.ExpertsSpec;
import io.shardpress.operators.model.description.MlpSpec;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A mixture of experts. Experts run one after the other on the tokens routed to them; their outputs
 * are added in the order of their index, so sums do not depend on anything but the tokens.
 */
final class Experts {
  private Experts() {}

  /** Adds the output for {@code x [tokens, hidden]} to another matrix, {@code sum}. */
  static void add(
      ExpertsSpec spec, INDArray x, INDArray sum, WeightSource weights, InputObserver observer) {
    if (spec.shared().isEmpty()) { // a shared network reads the router's input and shows it
      observer.observe(spec.input(), x);
    }
    Routing routing;
    try (INDArray logits = Linears.apply(spec.router(), x, weights)) {
      routing = Routing.of(logits, spec.perToken(), spec.weighting());
    }
    for (int expert = 0; expert < spec.experts().size(); expert++) {
      int[] tokens = routing.tokens(expert);
      MlpSpec.Gated network = spec.experts().get(expert);
      InputObserver routed = observeAllTokens(network, x, weights, observer);
      if (tokens.length > 0) {
        try (INDArray own = gather(x, tokens);
            INDArray y = applied(network, network.input(), own, weights, routed)) {
          scatterAdd(y, tokens, routing.shares(expert), sum);
        }
      }
    }
    spec.shared().ifPresent(shared -> addShared(shared, spec.input(), x, weights, observer, sum));
  }

  /** Shows an expert all tokens if that is wanted; returns who observes the routed ones then. */
  private static InputObserver observeAllTokens(
      MlpSpec.Gated network, INDArray x, WeightSource weights, InputObserver observer) {
    if (!observer.wantsAllTokens(network.input())) {
      return observer;
    }
    applied(network, network.input(), x, weights, observer).close();
    return InputObserver.NONE;
  }

  private static INDArray applied(
      MlpSpec.Gated network,
      String input,
      INDArray x,
      WeightSource weights,
      InputObserver observer) {
    INDArray y = Floats.zeros(Floats.rows(x), Floats.columns(x));
    try {
      Mlp.add(network, input, new Slices(Optional.empty()), x, y, weights, observer);
    } catch (RuntimeException | Error e) {
      y.close();
      throw e;
    }
    return y;
  }

  private static INDArray gather(INDArray x, int[] tokens) {
    INDArray rows = Floats.uninitialized(tokens.length, Floats.columns(x));
    float[] row = new float[Floats.columns(x)];
    for (int i = 0; i < tokens.length; i++) {
      Floats.readRow(x, tokens[i], row);
      Floats.writeRow(rows, i, row);
    }
    return rows;
  }

  private static void scatterAdd(INDArray y, int[] tokens, float[] shares, INDArray sum) {
    int columns = Floats.columns(y);
    float[] added = new float[columns];
    float[] row = new float[columns];
    for (int i = 0; i < tokens.length; i++) {
      Floats.readRow(y, i, added);
      Floats.readRow(sum, tokens[i], row);
      RowLoops.addScaled(row, 0, added, 0, columns, shares[i]);
      Floats.writeRow(sum, tokens[i], row);
    }
  }

  private static void addShared(
      ExpertsSpec.Shared shared,
      String input,
      INDArray x,
      WeightSource weights,
      InputObserver observer,
      INDArray sum) {
    int columns = Floats.columns(x);
    try (INDArray y = applied(shared.network(), input, x, weights, observer);
        INDArray gate = Linears.apply(shared.gate(), x, weights)) {
      RowChunks.update(
          y,
          gate,
          (target, at, logit, from) ->
              RowLoops.scale(target, at, columns, RowLoops.sigmoid(logit[from])));
      Hidden.add(sum, y);
    }
  }
}
