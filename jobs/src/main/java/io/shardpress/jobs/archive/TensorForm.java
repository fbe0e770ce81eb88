package io.shardpress.jobs.archive;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.coding.ByteElements;
import io.shardpress.operators.coding.Elements;
import io.shardpress.operators.coding.FloatElements;
import io.shardpress.operators.coding.PackedCodes;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.encoding.BitStream;
import io.shardpress.operators.encoding.QuantizationConfig;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * What a tensor is to an archive.
 *
 * @param elements empty where it is coded as bytes
 * @param ofLinear whether it belongs to a quantized linear
 */
record TensorForm(Kind kind, Optional<Elements> elements, boolean ofLinear) {
  private static final String WEIGHT = ".weight";
  private static final String PACKED = ".weight_packed";
  private static final Pattern BESIDE_CODES =
      Pattern.compile(".*\\.weight_(packed|scale|shape|zero_point|g_idx)");

  /** Bytes of no tensor. */
  static final TensorForm OTHER = new TensorForm(Kind.OTHER, Optional.empty(), false);

  /** Neighbours that are alike are coded together where both are coded as bytes. */
  boolean isLike(TensorForm other) {
    return kind == other.kind && ofLinear == other.ofLinear;
  }

  /** The scheme of each module; none where Shardpress does not read the configuration. */
  static Optional<QuantizationConfig> schemes(Checkpoint checkpoint) {
    try {
      return checkpoint
          .config()
          .quantization()
          .map(ModelConfig::json)
          .map(QuantizationConfig::read);
    } catch (InputException e) {
      return Optional.empty(); // of another method: its codes are bytes to us
    }
  }

  static TensorForm of(
      TensorSpec spec, Optional<QuantizationConfig> schemes, SafetensorsFile file) {
    boolean ofLinear = schemes.isPresent() && BESIDE_CODES.matcher(spec.name()).matches();
    if (spec.dtype().isWeightFloat()) {
      return new TensorForm(Kind.FLOATS, Optional.of(new FloatElements(spec.dtype())), ofLinear);
    }
    if (spec.dtype().name().startsWith("F8_")) {
      return new TensorForm(Kind.FLOATS, Optional.of(new ByteElements()), ofLinear);
    }
    if (spec.dtype() == DType.I8) {
      boolean codes = spec.name().endsWith(WEIGHT);
      return new TensorForm(
          codes ? Kind.CODES : Kind.OTHER, Optional.of(new ByteElements()), ofLinear || codes);
    }
    Optional<Elements> packed =
        spec.dtype() == DType.I32 && spec.name().endsWith(PACKED) && spec.shape().size() > 1
            ? scheme(spec.name(), schemes).flatMap(scheme -> packed(spec, scheme, file))
            : Optional.empty();
    return new TensorForm(packed.isPresent() ? Kind.CODES : Kind.OTHER, packed, ofLinear);
  }

  private static Optional<Scheme> scheme(String name, Optional<QuantizationConfig> schemes) {
    String module = name.substring(0, name.length() - PACKED.length());
    return schemes.flatMap(known -> known.schemeOf(module));
  }

  private static Optional<Elements> packed(TensorSpec spec, Scheme scheme, SafetensorsFile file) {
    int bits = scheme.grid().bits();
    long words = spec.shape().get(spec.shape().size() - 1);
    if (words < 1 || words > PackedCodes.MOST_COLUMNS / Integer.SIZE) {
      return Optional.empty();
    }
    int most = (int) (words * Integer.SIZE / bits);
    long columns = columns(spec.name(), file).orElse((long) most);
    boolean fits = columns > 0 && columns <= most && BitStream.words(columns, bits) == words;
    return Optional.of(new PackedCodes(bits, fits ? (int) columns : most));
  }

  /** Codes of a row as {@code weight_shape} beside it says. */
  private static Optional<Long> columns(String packed, SafetensorsFile file) {
    String name = packed.substring(0, packed.length() - PACKED.length()) + ".weight_shape";
    if (!file.header().tensors().containsKey(name)) {
      return Optional.empty();
    }
    TensorSpec spec = file.spec(name);
    if (spec.dtype() != DType.I64 || spec.shape().size() != 1 || spec.elements() > 8) {
      return Optional.empty();
    }
    RawTensor shape = file.tensor(name);
    ByteBuffer data = shape.data();
    List<Long> dimensions =
        LongStream.generate(data::getLong).limit(spec.elements()).boxed().toList();
    return dimensions.isEmpty()
        ? Optional.empty()
        : Optional.of(dimensions.get(dimensions.size() - 1));
  }
}
