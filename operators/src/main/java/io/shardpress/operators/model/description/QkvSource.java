package io.shardpress.operators.model.description;

import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.List;

/** Which linears make queries, keys and values, and in which of their outputs a head lies. */
public sealed interface QkvSource {

  /** The linears, in the order that {@link Columns#linear()} counts. */
  List<LinearSpec> linears();

  /** Id of the input that all of them read. */
  String input();

  /** Where the query of a query head lies. */
  Columns query(int head, HeadShape shape);

  /** Where the key of a key-value head lies. */
  Columns key(int head, HeadShape shape);

  /** Where the value of a key-value head lies. */
  Columns value(int head, HeadShape shape);

  /** {@code headSize} output columns, from {@code first}, of one linear. */
  record Columns(int linear, int first) {}

  /** The linears as modules of the checkpoint. */
  default List<LinearModule> modules() {
    return linears().stream().map(linear -> linear.reading(input(), Role.ATTENTION)).toList();
  }

  /** Three linears, heads one after the other. */
  record Separate(LinearSpec query, LinearSpec key, LinearSpec value) implements QkvSource {

    public Separate withBias() {
      return new Separate(query.withBias(), key.withBias(), value.withBias());
    }

    @Override
    public List<LinearSpec> linears() {
      return List.of(query, key, value);
    }

    @Override
    public String input() {
      return query.siblingInput("qkv_input");
    }

    @Override
    public Columns query(int head, HeadShape shape) {
      return new Columns(0, head * shape.headSize());
    }

    @Override
    public Columns key(int head, HeadShape shape) {
      return new Columns(1, head * shape.headSize());
    }

    @Override
    public Columns value(int head, HeadShape shape) {
      return new Columns(2, head * shape.headSize());
    }
  }

  /** One linear whose outputs are all queries, then all keys, then all values. */
  record Concatenated(LinearSpec qkv) implements QkvSource {

    @Override
    public List<LinearSpec> linears() {
      return List.of(qkv);
    }

    @Override
    public String input() {
      return qkv.ownInput();
    }

    @Override
    public Columns query(int head, HeadShape shape) {
      return new Columns(0, head * shape.headSize());
    }

    @Override
    public Columns key(int head, HeadShape shape) {
      return new Columns(0, (shape.heads() + head) * shape.headSize());
    }

    @Override
    public Columns value(int head, HeadShape shape) {
      return new Columns(0, (shape.heads() + shape.keyValueHeads() + head) * shape.headSize());
    }
  }

  /** One linear whose outputs are query, key and value of the first head, then of the second … */
  record PerHead(LinearSpec qkv) implements QkvSource {

    @Override
    public List<LinearSpec> linears() {
      return List.of(qkv);
    }

    @Override
    public String input() {
      return qkv.ownInput();
    }

    @Override
    public Columns query(int head, HeadShape shape) {
      return new Columns(0, 3 * head * shape.headSize());
    }

    @Override
    public Columns key(int head, HeadShape shape) {
      return new Columns(0, (3 * head + 1) * shape.headSize());
    }

    @Override
    public Columns value(int head, HeadShape shape) {
      return new Columns(0, (3 * head + 2) * shape.headSize());
    }
  }
}
