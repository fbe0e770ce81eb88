package io.shardpress.operators.encoding;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.ColumnOrder;
import io.shardpress.operators.compression.CompressedWeight;
import io.shardpress.operators.compression.QuantizedWeight;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.compression.Storage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The formats of vllm-project/compressed-tensors: {@code pack-quantized} for weight-only schemes
 * (codes as dense bit streams, straddling words since 0.17.0), {@code int-quantized} where the
 * runtime quantizes activations too (a byte per code).
 *
 * <p>Tensors of a module: {@code weight_packed} I32 {@code [out, ⌈in·b/32⌉]} or {@code weight} I8
 * {@code [out, in]}; {@code weight_scale} {@code [out, groups]} in the weight's type; {@code
 * weight_shape} I64 {@code [2]} when packed; {@code weight_zero_point} when asymmetric (packed down
 * the rows, or I8); {@code weight_g_idx} I32 {@code [in]} for the group order. Weights without a
 * scheme, such as pruned ones, are plain {@code weight}s.
 */
public record CompressedTensors() implements Encoder {
  private static final DequantizedWeights NUMBERS = new DequantizedWeights();

  static boolean isPacked(Scheme scheme) {
    return scheme.activations() == Activations.NONE;
  }

  @Override
  public List<TensorSpec> plan(StoredLinear linear, Storage storage) {
    return storage instanceof Scheme scheme ? plan(linear, scheme) : NUMBERS.plan(linear, storage);
  }

  @Override
  public String describe(StoredLinear linear, Storage storage) {
    return storage instanceof Scheme scheme
        ? "%s %s".formatted(isPacked(scheme) ? "packed codes," : "a byte per code,", scheme)
        : NUMBERS.describe(linear, storage);
  }

  private static List<TensorSpec> plan(StoredLinear linear, Scheme scheme) {
    long out = linear.rows();
    long in = linear.in();
    int bits = scheme.grid().bits();
    scheme.check(linear.module(), in);
    long groups = scheme.groupSize().groups(Math.toIntExact(in));
    String name = linear.module() + ".weight";
    List<TensorSpec> specs = new ArrayList<>();
    if (isPacked(scheme)) {
      specs.add(TensorSpec.of(name + "_packed", DType.I32, out, BitStream.words(in, bits)));
      specs.add(TensorSpec.of(name + "_shape", DType.I64, 2));
    } else {
      specs.add(TensorSpec.of(name, DType.I8, out, in));
    }
    specs.add(TensorSpec.of(name + "_scale", scaleType(linear), out, groups));
    if (!scheme.grid().symmetric()) {
      specs.add(
          isPacked(scheme)
              ? TensorSpec.of(name + "_zero_point", DType.I32, BitStream.words(out, bits), groups)
              : TensorSpec.of(name + "_zero_point", DType.I8, out, groups));
    }
    if (scheme.order() == ColumnOrder.GROUP) {
      specs.add(TensorSpec.of(name + "_g_idx", DType.I32, in));
    }
    return List.copyOf(specs);
  }

  private static DType scaleType(StoredLinear linear) {
    return QuantizedWeight.scaleType(linear.type());
  }

  @Override
  public List<RawTensor> encode(StoredLinear linear, CompressedWeight weight) {
    return weight instanceof QuantizedWeight quantized
        ? encode(linear, quantized)
        : NUMBERS.encode(linear, weight);
  }

  private static List<RawTensor> encode(StoredLinear linear, QuantizedWeight weight) {
    List<RawTensor> tensors = new ArrayList<>();
    for (TensorSpec spec : plan(linear, weight.scheme())) {
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.toIntExact(spec.bytes())).order(ByteOrder.LITTLE_ENDIAN);
      fill(bytes, spec, linear, weight);
      tensors.add(new RawTensor(spec, bytes.flip()));
    }
    return List.copyOf(tensors);
  }

  private static void fill(
      ByteBuffer bytes, TensorSpec spec, StoredLinear linear, QuantizedWeight weight) {
    int bits = weight.scheme().grid().bits();
    switch (suffix(spec, linear)) {
      case "" -> bytes.put(weight.codes());
      case "_packed" -> {
        BitStream stream = new BitStream(bits);
        int rowBytes = 4 * BitStream.words(weight.in(), bits);
        for (int row = 0; row < weight.out(); row++) {
          stream.pack(weight.codes(), row * weight.in(), weight.in(), bytes, row * rowBytes);
        }
        bytes.position(bytes.limit());
      }
      case "_shape" -> bytes.putLong(linear.out()).putLong(linear.in());
      case "_scale" ->
          FloatCodec.encode(scaleType(linear), weight.scales(), 0, weight.scales().length, bytes);
      case "_zero_point" -> {
        if (isPacked(weight.scheme())) {
          packZeroPoints(bytes, weight, bits);
        } else {
          bytes.put(weight.zeroPoints());
        }
      }
      case "_g_idx" -> {
        for (int group : weight.groupOfColumn()) {
          bytes.putInt(group);
        }
      }
      default -> throw new IllegalStateException(spec.name());
    }
  }

  /** Each group column is a stream down the rows; the words of all columns stand side by side. */
  private static void packZeroPoints(ByteBuffer bytes, QuantizedWeight weight, int bits) {
    BitStream stream = new BitStream(bits);
    int groups = weight.groups();
    int words = BitStream.words(weight.out(), bits);
    byte[] column = new byte[weight.out()];
    ByteBuffer packed = ByteBuffer.allocate(4 * words).order(ByteOrder.LITTLE_ENDIAN);
    for (int group = 0; group < groups; group++) {
      for (int row = 0; row < column.length; row++) {
        column[row] = weight.zeroPoints()[row * groups + group];
      }
      stream.pack(column, 0, column.length, packed, 0);
      for (int word = 0; word < words; word++) {
        bytes.putInt(4 * (word * groups + group), packed.getInt(4 * word));
      }
    }
    bytes.position(bytes.limit());
  }

  @Override
  public CompressedWeight read(
      StoredLinear linear, Storage storage, Map<String, RawTensor> tensors) {
    return storage instanceof Scheme scheme
        ? codes(linear, scheme, tensors)
        : NUMBERS.read(linear, storage, tensors);
  }

  /**
   * The codes and scales of a linear.
   *
   * @throws InputException when a tensor is missing, has another type or shape, or holds what the
   *     scheme has no place for
   */
  public static QuantizedWeight codes(
      StoredLinear linear, Scheme scheme, Map<String, RawTensor> tensors) {
    Map<String, ByteBuffer> data = new TreeMap<>();
    for (TensorSpec spec : plan(linear, scheme)) {
      data.put(suffix(spec, linear), Tensors.require(tensors, spec).data());
    }
    int out = Math.toIntExact(linear.rows());
    int in = Math.toIntExact(linear.in());
    int bits = scheme.grid().bits();
    int groups = scheme.groupSize().groups(in);
    byte[] codes = new byte[Math.multiplyExact(out, in)];
    if (isPacked(scheme)) {
      ByteBuffer packed = data.get("_packed");
      BitStream stream = new BitStream(bits);
      int rowBytes = 4 * BitStream.words(in, bits);
      for (int row = 0; row < out; row++) {
        stream.unpack(packed, row * rowBytes, in, codes, row * in);
      }
    } else {
      data.get("").get(codes);
      requireInGrid(linear, "weight", codes, scheme);
    }
    if (scheme.order() != ColumnOrder.GROUP
        && tensors.containsKey(linear.module() + ".weight_g_idx")) {
      throw new InputException(
          "%s.weight_g_idx is there, but the scheme has no group order that would use it. The configuration and the weights do not belong together."
              .formatted(linear.module()));
    }
    float[] scales = new float[out * groups];
    FloatCodec.decode(scaleType(linear), data.get("_scale"), scales, 0, scales.length);
    return new QuantizedWeight(
        scheme,
        out,
        in,
        codes,
        scales,
        zeroPoints(linear, data, scheme, groups),
        groupOfColumn(linear, data, scheme));
  }

  private static byte[] zeroPoints(
      StoredLinear linear, Map<String, ByteBuffer> data, Scheme scheme, int groups) {
    int out = (int) linear.rows();
    if (scheme.grid().symmetric()) {
      return new byte[0];
    }
    byte[] zeroPoints = new byte[out * groups];
    ByteBuffer stored = data.get("_zero_point");
    if (!isPacked(scheme)) {
      stored.get(zeroPoints);
      requireInGrid(linear, "weight_zero_point", zeroPoints, scheme);
      return zeroPoints;
    }
    int bits = scheme.grid().bits();
    BitStream stream = new BitStream(bits);
    int words = BitStream.words(out, bits);
    byte[] column = new byte[out];
    ByteBuffer packed = ByteBuffer.allocate(4 * words).order(ByteOrder.LITTLE_ENDIAN);
    for (int group = 0; group < groups; group++) {
      for (int word = 0; word < words; word++) {
        packed.putInt(4 * word, stored.getInt(4 * (word * groups + group)));
      }
      stream.unpack(packed, 0, out, column, 0);
      for (int row = 0; row < out; row++) {
        zeroPoints[row * groups + group] = column[row];
      }
    }
    return zeroPoints;
  }

  private static int[] groupOfColumn(
      StoredLinear linear, Map<String, ByteBuffer> data, Scheme scheme) {
    int in = (int) linear.in();
    if (scheme.order() != ColumnOrder.GROUP) {
      return QuantizedWeight.neighbours(scheme.groupSize(), in);
    }
    int[] groups = new int[in];
    int count = scheme.groupSize().groups(in);
    ByteBuffer stored = data.get("_g_idx");
    for (int j = 0; j < in; j++) {
      groups[j] = stored.getInt();
      if (groups[j] < 0 || groups[j] >= count) {
        throw new InputException(
            "%s.weight_g_idx puts column %d into group %d of %d. Fetch the checkpoint again."
                .formatted(linear.module(), j, groups[j], count));
      }
    }
    return groups;
  }

  private static void requireInGrid(StoredLinear linear, String name, byte[] codes, Scheme scheme) {
    for (byte code : codes) {
      if (code < scheme.grid().lowest() || code > scheme.grid().highest()) {
        throw new InputException(
            "%s.%s holds %d, which %d bits do not: the range is %d to %d. The configuration and the weights do not belong together."
                .formatted(
                    linear.module(),
                    name,
                    code,
                    scheme.grid().bits(),
                    scheme.grid().lowest(),
                    scheme.grid().highest()));
      }
    }
  }

  private static String suffix(TensorSpec spec, StoredLinear linear) {
    return spec.name().substring(linear.module().length() + ".weight".length());
  }

  @Override
  public ObjectNode config(
      ObjectNode source, Map<String, Scheme> schemes, Set<String> uncompressed) {
    ObjectNode config = source.deepCopy();
    if (schemes.isEmpty()) {
      return config;
    }
    config.set("quantization_config", QuantizationConfigWriter.write(schemes, uncompressed));
    return config;
  }
}
