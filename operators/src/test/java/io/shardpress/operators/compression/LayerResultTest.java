package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class LayerResultTest {
  private static final Rtn SETTINGS = Rtn.of(4, GroupSize.CHANNEL);

  private static LayerResult solve(float... row) {
    try (INDArray weight = Floats.vector(row)) {
      return SETTINGS.compress("m", weight, DType.F32, Optional.empty());
    }
  }

  @Test
  void oneFailedSliceFailsTheLayer() {
    LayerResult stacked = LayerResult.stack(List.of(solve(1, 2), solve(Float.NaN, 1), solve(3, 4)));
    assertThat(stacked.outcome()).isInstanceOf(Outcome.Failed.class);
    assertThat(stacked.weight()).isEmpty();
    assertThat(stacked.report().out()).isEqualTo(3);
  }

  @Test
  void oneSliceThatFellBackMarksTheLayer() {
    LayerResult other = solve(3, 4).fellBack("rtn", "why", List.of("note"));
    LayerResult stacked = LayerResult.stack(List.of(solve(1, 2), other));
    assertThat(stacked.outcome()).isEqualTo(new Outcome.FellBack("rtn", "why"));
    assertThat(stacked.weight()).isPresent();
    assertThat(stacked.report().notes()).containsExactly("note");
  }

  @Test
  void anOutcomeAndItsWeightBelongTogether() {
    LayerResult solved = solve(1, 2);
    assertThatThrownBy(
            () -> new LayerResult(new Outcome.Compressed(), solved.report(), Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("without a weight");
    assertThatThrownBy(
            () -> new LayerResult(new Outcome.Copied("why"), solved.report(), solved.weight()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("together with a weight");
  }
}
