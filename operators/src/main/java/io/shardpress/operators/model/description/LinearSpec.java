package io.shardpress.operators.model.description;

import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.List;
import java.util.OptionalInt;

/**
 * A linear layer: {@code module.weight} and, with {@code hasBias}, {@code module.bias [out]}.
 *
 * @param layout how the weight is stored
 */
public record LinearSpec(String module, long in, long out, boolean hasBias, Layout layout) {

  /** A linear stored as {@code [out, in]}, without a bias. */
  public static LinearSpec of(String module, long in, long out) {
    return new LinearSpec(module, in, out, false, Layout.OUT_IN);
  }

  /** GPT-2's Conv1D: stored as {@code [in, out]}, with a bias. */
  public static LinearSpec conv1d(String module, long in, long out) {
    return new LinearSpec(module, in, out, true, Layout.IN_OUT);
  }

  public LinearSpec withBias() {
    return new LinearSpec(module, in, out, true, layout);
  }

  public String weight() {
    return module + ".weight";
  }

  public String bias() {
    return module + ".bias";
  }

  /** Id of the module's input where no other linear reads it. */
  public String ownInput() {
    return module + "_input";
  }

  /** Id of an input that several children of this module's parent read. */
  String siblingInput(String name) {
    return module.substring(0, module.lastIndexOf('.') + 1) + name;
  }

  LinearModule reading(String input, Role role) {
    return reading(input, role, OptionalInt.empty());
  }

  LinearModule reading(String input, Role role, OptionalInt expert) {
    return new LinearModule(module, out, in, layout, input, role, expert);
  }

  List<String> tensors() {
    return hasBias ? List.of(weight(), bias()) : List.of(weight());
  }
}
