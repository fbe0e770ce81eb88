package io.shardpress.common.safetensors;

import io.shardpress.common.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** Tiny valid headers, one for each type and each edge of the format, to be spoilt. */
final class HeaderSeeds {

  /** A tensor's entry as it will be written; every part may be any text. */
  static final class Tensor {
    String name;
    String dtype;
    List<String> shape;
    List<String> offsets;
    String more = "";

    Tensor(String name, String dtype, List<String> shape, List<String> offsets) {
      this.name = name;
      this.dtype = dtype;
      this.shape = new ArrayList<>(shape);
      this.offsets = new ArrayList<>(offsets);
    }

    Tensor copy() {
      Tensor copy = new Tensor(name, dtype, shape, offsets);
      copy.more = more;
      return copy;
    }

    String json() {
      return "\"%s\":{\"dtype\":%s,\"shape\":[%s],\"data_offsets\":[%s]%s}"
          .formatted(name, dtype, String.join(",", shape), String.join(",", offsets), more);
    }
  }

  /** A whole file as it will be written. */
  static final class Draft {
    final List<Tensor> tensors = new ArrayList<>();
    String metadata = "";
    String before = "";
    String after = "";
    int dataBytes;

    Draft copy() {
      Draft copy = new Draft();
      tensors.forEach(tensor -> copy.tensors.add(tensor.copy()));
      copy.metadata = metadata;
      copy.before = before;
      copy.after = after;
      copy.dataBytes = dataBytes;
      return copy;
    }

    Draft tensor(String name, DType dtype, long... shape) {
      long elements = 1;
      List<String> dimensions = new ArrayList<>();
      for (long dimension : shape) {
        elements *= dimension;
        dimensions.add(String.valueOf(dimension));
      }
      int end = dataBytes + (int) (elements * dtype.bits() / 8);
      tensors.add(
          new Tensor(
              name,
              '"' + dtype.name() + '"',
              dimensions,
              List.of(String.valueOf(dataBytes), String.valueOf(end))));
      dataBytes = end;
      return this;
    }

    String json() {
      List<String> members = new ArrayList<>();
      if (!metadata.isEmpty()) {
        members.add("\"__metadata__\":" + metadata);
      }
      tensors.forEach(tensor -> members.add(tensor.json()));
      return before + "{" + String.join(",", members) + "}" + after;
    }
  }

  static final List<Draft> ALL = all();

  private HeaderSeeds() {}

  private static List<Draft> all() {
    List<Draft> seeds = new ArrayList<>();
    for (DType type : DType.values()) {
      seeds.add(new Draft().tensor("t", type, 8));
      seeds.add(new Draft().tensor("a", type, 2, 4).tensor("b", DType.F32, 3));
    }
    seeds.add(new Draft());
    seeds.add(withMetadata("{\"format\":\"pt\"}"));
    seeds.add(withMetadata("{}"));
    seeds.add(withMetadata("null"));
    seeds.add(
        withMetadata("{\"a\":\"\",\"b\":\"\\n\\u00e9\\\"\",\"\":\"x\"}").tensor("t", DType.U8, 1));
    seeds.add(new Draft().tensor("scalar", DType.F64));
    seeds.add(new Draft().tensor("empty", DType.I32, 2, 0));
    seeds.add(new Draft().tensor("zero first", DType.BF16, 0, 1L << 40, 1L << 40));
    seeds.add(
        new Draft()
            .tensor("x", DType.F16, 0)
            .tensor("y", DType.F4, 0)
            .tensor("data", DType.U8, 5)
            .tensor("z", DType.F16, 3, 0, 2));
    seeds.add(new Draft().tensor("", DType.U8, 1).tensor("层\\ud83d\\ude00", DType.U8, 1));
    seeds.add(new Draft().tensor("\\u0061\\/b", DType.U8, 1).tensor("../c", DType.U8, 2));
    seeds.add(new Draft().tensor("n".repeat(1000), DType.I8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2));
    Draft unordered =
        new Draft().tensor("a", DType.F32, 2).tensor("b", DType.I64, 1).tensor("c", DType.U8, 3);
    unordered.tensors.add(0, unordered.tensors.remove(2));
    seeds.add(unordered);
    Draft padded = new Draft().tensor("t", DType.F32, 2);
    padded.before = "\n\t ";
    padded.after = " ".repeat(2048) + "\r\n";
    seeds.add(padded);
    Draft known = new Draft().tensor("t", DType.F32, 2);
    known.tensors.get(0).more = ",\"x\":{\"y\":[1,-2.5e3,null,true,{}]},\"z\":\"\"";
    seeds.add(known);
    Draft deep = new Draft().tensor("t", DType.U8, 1);
    deep.tensors.get(0).more = ",\"x\":" + "[".repeat(125) + "]".repeat(125);
    seeds.add(deep);
    Draft many = withMetadata("{\"format\":\"pt\"}");
    for (int i = 0; i < 30; i++) {
      many.tensor("layers." + i + ".weight", i % 2 == 0 ? DType.BF16 : DType.F4, i, 2);
    }
    seeds.add(many);
    return List.copyOf(seeds);
  }

  private static Draft withMetadata(String metadata) {
    Draft draft = new Draft();
    draft.metadata = metadata;
    return draft;
  }
}
