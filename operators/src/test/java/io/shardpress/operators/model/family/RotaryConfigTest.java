package io.shardpress.operators.model.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.operators.model.description.RotaryScaling;
import io.shardpress.operators.model.description.RotarySpec;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RotaryConfigTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'rope_theta': 500000.0, 'rope_scaling': {'type': 'linear', 'factor': 2.0}",
        "'rope_theta': 500000.0, 'rope_scaling': {'rope_type': 'linear', 'factor': 2.0}",
        "'rope_parameters': {'rope_type': 'linear', 'factor': 2.0, 'rope_theta': 500000.0}"
      })
  void reads_all_spellings(String members) {
    assertThat(RotaryConfig.whole(config(members), 16))
        .isEqualTo(new RotarySpec(16, 500000, new RotaryScaling.Linear(2)));
  }

  @Test
  void nothing_said_means_base_10000_unscaled() {
    assertThat(RotaryConfig.whole(config("'rope_scaling': null"), 16))
        .isEqualTo(new RotarySpec(16, 10000, new RotaryScaling.Unscaled()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'rotary_pct': 0.5",
        "'partial_rotary_factor': 0.5",
        "'rope_parameters': {'rope_type': 'default', 'partial_rotary_factor': 0.5}"
      })
  void rotates_a_part_of_each_head(String members) {
    assertThat(RotaryConfig.partial(config(members), 16, 0.25).dimensions()).isEqualTo(8);
    assertThat(RotaryConfig.partial(config("'a': 1"), 16, 0.25).dimensions()).isEqualTo(4);
  }

  @Test
  void refuses_a_part_where_the_family_rotates_whole_heads() {
    ModelConfig config = config("'partial_rotary_factor': 0.5");
    assertThatThrownBy(() -> RotaryConfig.whole(config, 16))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("rotates a share of 0.5 of heads of size 16");
  }

  @Test
  void reads_llama3() {
    ModelConfig config =
        config(
            "'rope_scaling': {'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0,"
                + " 'high_freq_factor': 4.0, 'original_max_position_embeddings': 8192}");
    assertThat(RotaryConfig.whole(config, 16).scaling())
        .isEqualTo(new RotaryScaling.Llama3(8, 1, 4, 8192));
  }

  @Test
  void longrope_takes_its_attention_factor_from_the_stretch() {
    ModelConfig config =
        config(
            "'original_max_position_embeddings': 64, 'rope_scaling': {'type': 'longrope',"
                + " 'short_factor': [1.0, 1.1], 'long_factor': [2.0, 3.0]}");
    RotaryScaling.LongRope scaling =
        (RotaryScaling.LongRope) RotaryConfig.partial(config, 4, 1).scaling();
    assertThat(scaling.trained()).isEqualTo(64);
    assertThat(scaling.shortFactors()).containsExactly(1.0, 1.1);
    // max_position_embeddings 256 is four times the trained length
    assertThat(scaling.attentionFactor())
        .isCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(64)), within(1e-12));
  }

  @Test
  void longrope_needs_one_factor_per_pair() {
    ModelConfig config =
        config(
            "'rope_scaling': {'type': 'longrope', 'short_factor': [1.0], 'long_factor': [2.0,"
                + " 3.0]}");
    assertThatThrownBy(() -> RotaryConfig.partial(config, 4, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("needs 2 positive numbers in \"short_factor\"")
        .hasMessageContaining("found [1.0]");
  }

  @Test
  void reads_yarn_with_its_defaults() {
    ModelConfig config = config("'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0}");
    RotaryScaling.Yarn scaling = (RotaryScaling.Yarn) RotaryConfig.whole(config, 16).scaling();
    assertThat(scaling).isEqualTo(new RotaryScaling.Yarn(4, 32, 1, 256, 0.1 * Math.log(4) + 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dynamic", "mrope", "proportional"})
  void refuses_other_scalings(String type) {
    ModelConfig config = config("'rope_scaling': {'rope_type': '" + type + "', 'factor': 2.0}");
    assertThatThrownBy(() -> RotaryConfig.whole(config, 16))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("asks for rope_type \"" + type + "\", which is not supported")
        .hasMessageContaining("Supported: default, linear, llama3, yarn, longrope");
  }

  @Test
  void refuses_yarn_with_settings_of_other_families() {
    ModelConfig config =
        config("'rope_scaling': {'rope_type': 'yarn', 'factor': 4.0, 'mscale': 1.0}");
    assertThatThrownBy(() -> RotaryConfig.whole(config, 16))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("sets \"mscale\" for yarn");
  }

  @Test
  void refuses_a_scaling_without_its_factor() {
    ModelConfig config = config("'rope_scaling': {'rope_type': 'linear'}");
    assertThatThrownBy(() -> RotaryConfig.whole(config, 16))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("needs a positive \"factor\" in its rotary settings, found none");
  }

  private static ModelConfig config(String members) {
    String json = "{'model_type': 'llama', 'max_position_embeddings': 256, %s}".formatted(members);
    return ModelConfig.parse(
        "config.json", json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }
}
