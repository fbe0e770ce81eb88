package io.shardpress.operators.model.description;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class RotaryScalingTest {

  @Test
  void unscaled_frequencies_are_powers_of_theta() {
    RotarySpec rotary = new RotarySpec(4, 10000, new RotaryScaling.Unscaled());
    assertThat(rotary.frequencies(8)).containsExactly(new double[] {1, 0.01}, within(1e-15));
  }

  @Test
  void linear_divides_by_the_factor() {
    RotarySpec rotary = new RotarySpec(4, 10000, new RotaryScaling.Linear(4));
    assertThat(rotary.frequencies(8)).containsExactly(new double[] {0.25, 0.0025}, within(1e-15));
  }

  @Test
  void llama3_keeps_short_waves_divides_long_ones_and_blends_between() {
    RotaryScaling scaling = new RotaryScaling.Llama3(8, 1, 4, 64);
    // Turns within 64 positions: 5 (more than 4), 0.5 (less than 1), 2.5 (half way from 1 to 4).
    double[] turns = {5, 0.5, 2.5};
    double[] frequencies = new double[3];
    for (int i = 0; i < 3; i++) {
      frequencies[i] = turns[i] * 2 * Math.PI / 64;
    }
    double[] scaled = scaling.scaled(frequencies, 10000, 8);
    assertThat(scaled[0]).isCloseTo(frequencies[0], within(1e-12));
    assertThat(scaled[1]).isCloseTo(frequencies[1] / 8, within(1e-12));
    assertThat(scaled[2]).isCloseTo(frequencies[2] * (0.5 / 8 + 0.5), within(1e-12));
  }

  @Test
  void yarn_keeps_fast_pairs_and_divides_slow_ones() {
    // Pair i of 4 turns 1024 · 100^(-i/4) / 2π times: 163, 51.5, 16.3, 5.2.
    // Turning 32 times: pair 1.41, floor 1. Turning 8 times: pair 2.62, ceiling 3.
    RotaryScaling scaling = new RotaryScaling.Yarn(4, 32, 8, 1024, 1.1);
    double[] frequencies = new RotarySpec(8, 100, new RotaryScaling.Unscaled()).frequencies(8);
    double[] scaled = scaling.scaled(frequencies, 100, 8);
    assertThat(scaled[0]).isCloseTo(frequencies[0], within(1e-12));
    assertThat(scaled[1]).isCloseTo(frequencies[1], within(1e-12));
    assertThat(scaled[2]).isCloseTo(frequencies[2] * (0.5 / 4 + 0.5), within(1e-12));
    assertThat(scaled[3]).isCloseTo(frequencies[3] / 4, within(1e-12));
    assertThat(scaling.attentionFactor()).isEqualTo(1.1);
  }

  @Test
  void longrope_changes_lists_beyond_the_trained_length() {
    RotaryScaling scaling =
        new RotaryScaling.LongRope(List.of(1.0, 2.0), List.of(4.0, 5.0), 100, 1.2);
    double[] frequencies = {1, 0.1};
    assertThat(scaling.scaled(frequencies, 10000, 100)).containsExactly(1, 0.05);
    assertThat(scaling.scaled(frequencies, 10000, 101)).containsExactly(0.25, 0.02);
  }
}
