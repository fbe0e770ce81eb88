package io.shardpress.operators.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.operators.linalg.Activation;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.TinyWeights;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.HeadShape;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.NormSpec;
import io.shardpress.operators.model.description.QkvSource;
import io.shardpress.operators.model.description.ResidualSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Residual layouts by hand, on one token of width 2. Attention always gives (4, 0), the network
 * doubles its input, norm k divides by the root mean square and multiplies by k.
 */
class DecoderBlockTest {
  private static final double ROOT2 = Math.sqrt(2);

  private final TinyWeights weights = new TinyWeights(1);

  DecoderBlockTest() {
    for (String linear : new String[] {"q", "k", "v", "o"}) {
      weights.put(linear + ".weight", new long[] {2, 2}, 0, 0, 0, 0);
    }
    weights.put("o.bias", new long[] {2}, 4, 0);
    weights.put("up.weight", new long[] {4, 2}, 1, 0, 0, 1, -1, 0, 0, -1);
    weights.put("down.weight", new long[] {2, 4}, 2, 0, -2, 0, 0, 2, 0, -2);
    for (int k = 1; k <= 4; k++) {
      weights.put("norm" + k + ".weight", new long[] {2}, k, k);
    }
  }

  @Test
  void pre_norm() {
    // h = (0, 3) + (4, 0) = (4, 3), root mean square 5/√2
    double[] expected = {4 + 2 * 2 * 4 * ROOT2 / 5, 3 + 2 * 2 * 3 * ROOT2 / 5};
    assertBlock(new ResidualSpec.PreNorm(norm(1), norm(2)), expected);
  }

  @Test
  void post_norm() {
    // h = norm₁(4, 3); norm₂(h + 2h) has the direction of (4, 3)
    double[] expected = {2 * 4 * ROOT2 / 5, 2 * 3 * ROOT2 / 5};
    assertBlock(new ResidualSpec.PostNorm(norm(1), norm(2)), expected);
  }

  @Test
  void sandwich() {
    // h = (0, 3) + norm₂(4, 0) = (2√2, 3); its norm₃ doubled and in norm₄: 4·h/rms(h)
    double root = Math.sqrt((8 + 9) / 2.0);
    double[] expected = {2 * ROOT2 + 4 * 2 * ROOT2 / root, 3 + 4 * 3 / root};
    assertBlock(new ResidualSpec.Sandwich(norm(1), norm(2), norm(3), norm(4)), expected);
  }

  @Test
  void parallel() {
    // x + (4, 0) + 2·norm₂(0, 3), the last (0, 2·2·√2)
    double[] expected = {4, 3 + 4 * ROOT2};
    assertBlock(new ResidualSpec.Parallel(norm(1), norm(2)), expected);
  }

  @Test
  void inputs_are_shown_where_the_output_is_not_wanted() {
    List<String> shown = new ArrayList<>();
    InputObserver inputsAlone =
        new InputObserver() {
          @Override
          public void observe(String input, INDArray x) {
            shown.add(input + Arrays.toString(Floats.toArray(x)));
          }

          @Override
          public boolean wantsOutput() {
            return false;
          }
        };
    List<String> expected = new ArrayList<>();
    BlockSpec spec = block(new ResidualSpec.PreNorm(norm(1), norm(2)));
    try (INDArray x = Floats.vector(0, 3);
        INDArray y = Floats.vector(0, 3)) {
      InputObserver all =
          (input, seen) -> expected.add(input + Arrays.toString(Floats.toArray(seen)));
      new DecoderBlock(spec, 1, weights.source(), all).apply(x);
      new DecoderBlock(spec, 1, weights.source(), inputsAlone).apply(y);
    }
    assertThat(shown).hasSize(4).isEqualTo(expected);
  }

  private void assertBlock(ResidualSpec residual, double[] expected) {
    DecoderBlock block = new DecoderBlock(block(residual), 1, weights.source(), InputObserver.NONE);
    try (INDArray x = Floats.vector(0, 3)) {
      block.apply(x);
      float[] actual = Floats.toArray(x);
      assertThat((double) actual[0]).isCloseTo(expected[0], within(1e-5));
      assertThat((double) actual[1]).isCloseTo(expected[1], within(1e-5));
    }
  }

  private static BlockSpec block(ResidualSpec residual) {
    AttentionSpec attention =
        AttentionSpec.of(
            new HeadShape(1, 1, 2),
            new QkvSource.Separate(
                LinearSpec.of("q", 2, 2), LinearSpec.of("k", 2, 2), LinearSpec.of("v", 2, 2)),
            LinearSpec.of("o", 2, 2).withBias());
    // relu(x) - relu(-x) = x
    MlpSpec mlp =
        new MlpSpec.Plain(LinearSpec.of("up", 2, 4), LinearSpec.of("down", 4, 2), Activation.RELU);
    return new BlockSpec(attention, mlp, residual);
  }

  private static NormSpec norm(int k) {
    return new NormSpec("norm" + k, NormSpec.Kind.RMS, 0);
  }
}
