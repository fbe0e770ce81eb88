package io.shardpress.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RecordBinderTest {

  enum Order {
    STATIC,
    ACT_ORDER
  }

  record Width(int value) {
    static Width parse(String text) {
      return text.equals("channel") ? new Width(-1) : new Width(Integer.parseInt(text));
    }
  }

  record Inner(double damping, boolean exact) {
    Inner {
      if (damping < 0) {
        throw new IllegalArgumentException("damping must not be negative");
      }
    }
  }

  record Outer(
      int bits,
      Width groupSize,
      Order order,
      List<String> targets,
      Optional<Long> seed,
      Inner inner) {}

  private static final String FULL =
      """
      bits = 4
      group-size = channel
      order = act-order
      targets = Linear
      inner { damping = 0.01, exact = true }
      """;

  private static Outer bind(String text) {
    return RecordBinder.bind(Hocon.parse(text, "recipe.conf").root(), Outer.class, "");
  }

  @Test
  void bindsEveryKindOfComponent() {
    assertThat(bind(FULL))
        .isEqualTo(
            new Outer(
                4,
                new Width(-1),
                Order.ACT_ORDER,
                List.of("Linear"),
                Optional.empty(),
                new Inner(0.01, true)));
    assertThat(bind(FULL + "seed = 7").seed()).contains(7L);
    assertThat(bind(FULL + "group-size = 128").groupSize()).isEqualTo(new Width(128));
  }

  @Test
  void anUnknownKeyNamesTheNearestKnownOneAndTheLine() {
    assertThatThrownBy(() -> bind(FULL + "group_size = 64"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("recipe.conf:6")
        .hasMessageContaining("unknown key 'group_size'")
        .hasMessageContaining("Did you mean 'group-size'?");
    assertThatThrownBy(() -> bind(FULL + "inner.dampning = 1"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'inner.dampning'")
        .hasMessageContaining("'damping'");
  }

  @Test
  void aMissingKeyIsNamed() {
    assertThatThrownBy(() -> bind("bits = 4"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'group-size' is missing");
  }

  @Test
  void wrongTypesSayWhatIsExpected() {
    assertThatThrownBy(() -> bind(FULL + "bits = 4.5"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("recipe.conf:6: 'bits' must be a whole number, not 4.5");
    assertThatThrownBy(() -> bind(FULL + "inner.damping = NaN"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'inner.damping' must be a number");
    assertThatThrownBy(() -> bind(FULL + "inner = 3"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'inner' must be an object");
    assertThatThrownBy(() -> bind(FULL + "order = statik"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Did you mean 'static'?")
        .hasMessageContaining("static, act-order");
    assertThatThrownBy(() -> bind(FULL + "order = [static]"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'order' must be one of static, act-order");
  }

  @Test
  void whatAConstructorRefusesIsAnErrorOfTheKey() {
    assertThatThrownBy(() -> bind(FULL + "inner.damping = -1"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'inner': damping must not be negative");
    assertThatThrownBy(() -> bind(FULL + "group-size = wide"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'group-size'");
  }
}
