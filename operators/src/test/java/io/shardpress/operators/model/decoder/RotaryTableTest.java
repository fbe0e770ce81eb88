package io.shardpress.operators.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.operators.model.description.RotaryScaling;
import io.shardpress.operators.model.description.RotarySpec;
import java.util.List;
import org.junit.jupiter.api.Test;

class RotaryTableTest {
  private static final RotaryScaling NONE = new RotaryScaling.Unscaled();

  @Test
  void turns_a_pair_by_its_position() {
    RotaryTable table = new RotaryTable(new RotarySpec(2, 10000, NONE), 4);
    float[] head = {1, 0};
    table.rotate(head, 0, 3);
    assertThat((double) head[0]).isCloseTo(Math.cos(3), within(1e-6));
    assertThat((double) head[1]).isCloseTo(Math.sin(3), within(1e-6));
  }

  @Test
  void pairs_lie_half_the_rotated_part_apart_and_the_rest_stays() {
    RotaryTable table = new RotaryTable(new RotarySpec(4, 100, NONE), 2);
    float[] values = {9, 1, 2, 3, 4, 5, 6};
    table.rotate(values, 1, 1);
    // frequencies 1 and 100^(-1/2) = 0.1 on the pairs (1, 3) and (2, 4)
    double[] expected = {
      9,
      Math.cos(1) - 3 * Math.sin(1),
      2 * Math.cos(0.1) - 4 * Math.sin(0.1),
      3 * Math.cos(1) + Math.sin(1),
      4 * Math.cos(0.1) + 2 * Math.sin(0.1),
      5,
      6
    };
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) values[i]).as("element %d", i).isCloseTo(expected[i], within(1e-6));
    }
  }

  @Test
  void the_first_position_is_not_turned() {
    RotaryTable table = new RotaryTable(new RotarySpec(4, 10000, NONE), 1);
    float[] head = {1, 2, 3, 4};
    table.rotate(head, 0, 0);
    assertThat(head).containsExactly(1, 2, 3, 4);
  }

  @Test
  void cosines_and_sines_carry_the_attention_factor() {
    RotaryScaling scaling = new RotaryScaling.LongRope(List.of(1.0), List.of(1.0), 8, 1.5);
    float[] head = {1, 2};
    new RotaryTable(new RotarySpec(2, 10000, scaling), 1).rotate(head, 0, 0);
    assertThat(head).containsExactly(1.5f, 3f);
  }
}
