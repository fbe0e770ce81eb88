package io.shardpress.common.safetensors;

import io.shardpress.common.json.PlainJson;
import io.shardpress.common.tensor.DType;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The rules of the format written down a second time, in unbounded numbers and without regard to
 * memory, to decide whether a reader was right.
 */
final class PlainHeaderRules {
  private static final BigInteger LIMIT = BigInteger.TWO.pow(63);

  private PlainHeaderRules() {}

  private record Tensor(BigInteger begin, BigInteger end) {}

  /** Why the file breaks the rules, or empty if it does not. */
  static Optional<String> broken(byte[] file) {
    if (file.length < 8) {
      return Optional.of("shorter than 8 bytes");
    }
    byte[] word = Arrays.copyOf(file, 8);
    long declared = ByteBuffer.wrap(word).order(ByteOrder.LITTLE_ENDIAN).getLong();
    BigInteger length = new BigInteger(Long.toUnsignedString(declared));
    if (length.compareTo(BigInteger.valueOf(100_000_000)) > 0
        || length.compareTo(BigInteger.valueOf(file.length - 8L)) > 0) {
      return Optional.of("header length " + length);
    }
    Object header;
    try {
      header = PlainJson.parse(Arrays.copyOfRange(file, 8, 8 + length.intValue()));
    } catch (PlainJson.Refused e) {
      return Optional.of(e.getMessage());
    }
    if (!(header instanceof Map<?, ?> members)) {
      return Optional.of("no object");
    }
    List<Tensor> tensors = new ArrayList<>();
    for (Map.Entry<?, ?> member : members.entrySet()) {
      if (!isUnicode(member.getKey())) {
        return Optional.of("lone surrogate in a name");
      }
      if (member.getKey().equals("__metadata__")) {
        if (!isMetadata(member.getValue())) {
          return Optional.of("metadata");
        }
      } else {
        Optional<Tensor> tensor = tensor(member.getValue());
        if (tensor.isEmpty()) {
          return Optional.of("tensor " + member.getKey());
        }
        tensors.add(tensor.get());
      }
    }
    return tiles(tensors, file.length - 8L - length.longValue())
        ? Optional.empty()
        : Optional.of("holes, overlaps, or another length than the file");
  }

  private static boolean isMetadata(Object value) {
    return value == PlainJson.NULL
        || (value instanceof Map<?, ?> map
            && map.entrySet().stream()
                .allMatch(
                    entry ->
                        isUnicode(entry.getKey())
                            && entry.getValue() instanceof String text
                            && isUnicode(text)));
  }

  private static Optional<Tensor> tensor(Object value) {
    if (!(value instanceof Map<?, ?> fields
        && fields.get("dtype") instanceof String dtype
        && fields.get("shape") instanceof List<?> shape
        && fields.get("data_offsets") instanceof List<?> offsets
        && Arrays.stream(DType.values()).anyMatch(type -> type.name().equals(dtype))
        && shape.stream().allMatch(PlainHeaderRules::isSize)
        && offsets.size() == 2
        && offsets.stream().allMatch(PlainHeaderRules::isSize))) {
      return Optional.empty();
    }
    // Every product on the way must fit, whatever comes after it.
    BigInteger product = BigInteger.ONE;
    for (Object dimension : shape) {
      product = product.multiply((BigInteger) dimension);
      if (product.compareTo(LIMIT) >= 0) {
        return Optional.empty();
      }
    }
    BigInteger bits = product.multiply(BigInteger.valueOf(DType.valueOf(dtype).bits()));
    BigInteger begin = (BigInteger) offsets.get(0);
    BigInteger end = (BigInteger) offsets.get(1);
    BigInteger eight = BigInteger.valueOf(8);
    return bits.compareTo(LIMIT) < 0
            && bits.mod(eight).signum() == 0
            && end.subtract(begin).equals(bits.divide(eight))
        ? Optional.of(new Tensor(begin, end))
        : Optional.empty();
  }

  private static boolean tiles(List<Tensor> tensors, long dataBytes) {
    tensors.sort(Comparator.comparing(Tensor::begin).thenComparing(Tensor::end));
    BigInteger position = BigInteger.ZERO;
    for (Tensor tensor : tensors) {
      if (!tensor.begin().equals(position)) {
        return false;
      }
      position = tensor.end();
    }
    return position.equals(BigInteger.valueOf(dataBytes));
  }

  private static boolean isSize(Object value) {
    return value instanceof BigInteger number
        && number.signum() >= 0
        && number.compareTo(LIMIT) < 0;
  }

  private static boolean isUnicode(Object text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode((String) text);
  }
}
