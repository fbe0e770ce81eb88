package io.shardpress.operators.model.description;

import io.shardpress.operators.linalg.Activation;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A network of linears around one activation. */
public sealed interface MlpSpec extends FeedForwardSpec {

  /** What reads the input, in order. */
  List<LinearSpec> entries();

  /** The last linear. */
  LinearSpec down();

  Activation activation();

  @Override
  default List<LinearSpec> linears() {
    List<LinearSpec> linears = new ArrayList<>(entries());
    linears.add(down());
    return linears;
  }

  @Override
  default List<LinearModule> modules() {
    return modules(input(), Role.MLP, OptionalInt.empty());
  }

  /** The modules where the network reads another input or belongs to an expert. */
  default List<LinearModule> modules(String input, Role role, OptionalInt expert) {
    List<LinearModule> modules = new ArrayList<>();
    entries().forEach(entry -> modules.add(entry.reading(input, role, expert)));
    modules.add(down().reading(down().ownInput(), role, expert));
    return modules;
  }

  /** {@code down(activation(gate(x)) · up(x))} (Shazeer, 2020). */
  record Gated(LinearSpec gate, LinearSpec up, LinearSpec down, Activation activation)
      implements MlpSpec {

    public Gated withBias() {
      return new Gated(gate.withBias(), up.withBias(), down.withBias(), activation);
    }

    @Override
    public List<LinearSpec> entries() {
      return List.of(gate, up);
    }

    @Override
    public String input() {
      return gate.siblingInput("gate_up_input");
    }
  }

  /** Gated, with gate and up in one linear: its first outputs are the gate, the others up. */
  record FusedGated(LinearSpec gateUp, LinearSpec down, Activation activation) implements MlpSpec {

    @Override
    public List<LinearSpec> entries() {
      return List.of(gateUp);
    }

    @Override
    public String input() {
      return gateUp.ownInput();
    }
  }

  /** {@code down(activation(up(x)))}. */
  record Plain(LinearSpec up, LinearSpec down, Activation activation) implements MlpSpec {

    @Override
    public List<LinearSpec> entries() {
      return List.of(up);
    }

    @Override
    public String input() {
      return up.ownInput();
    }
  }
}
