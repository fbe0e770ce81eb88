package io.shardpress.common.safetensors;

import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_OFFSET;
import static io.shardpress.common.error.CheckpointFormatException.Code.METADATA_INCOMPLETE_BUFFER;
import static io.shardpress.common.error.CheckpointFormatException.Code.MISALIGNED_SLICE;
import static io.shardpress.common.error.CheckpointFormatException.Code.TENSOR_INVALID_INFO;
import static io.shardpress.common.error.CheckpointFormatException.Code.VALIDATION_OVERFLOW;

import io.shardpress.common.error.Printable;
import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import io.shardpress.common.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rules 7 to 11: the tensors fill the data without holes or overlaps, each by its exact size. */
final class HeaderRules {
  private HeaderRules() {}

  /** Entries in file order, their offsets counted from the start of the file. */
  static Map<String, Entry> check(
      String file, List<HeaderJson.Tensor> tensors, long dataStart, long dataLength) {
    List<HeaderJson.Tensor> ordered = new ArrayList<>(tensors);
    ordered.sort(
        Comparator.comparingLong(HeaderJson.Tensor::begin)
            .thenComparingLong(HeaderJson.Tensor::end));
    Map<String, Entry> entries = new LinkedHashMap<>();
    long position = 0;
    for (HeaderJson.Tensor tensor : ordered) {
      if (tensor.begin() != position || tensor.end() < tensor.begin()) {
        throw HeaderErrors.of(
            INVALID_OFFSET,
            file,
            tensor.name(),
            "has data_offsets [%d, %d], but the next tensor must begin at %d"
                .formatted(tensor.begin(), tensor.end(), position));
      }
      checkSize(file, tensor);
      position = tensor.end();
      TensorSpec spec = new TensorSpec(tensor.name(), tensor.dtype(), tensor.shape());
      entries.put(
          tensor.name(), new Entry(spec, dataStart + tensor.begin(), dataStart + tensor.end()));
    }
    if (position != dataLength) { // until here an absolute offset may have overflowed
      throw HeaderErrors.of(
          METADATA_INCOMPLETE_BUFFER,
          file,
          "the tensors end at byte %d of the data, which has %d bytes"
              .formatted(position, dataLength));
    }
    return entries;
  }

  private static void checkSize(String file, HeaderJson.Tensor tensor) {
    long bits;
    try {
      bits =
          Math.multiplyExact(
              tensor.shape().stream().reduce(1L, Math::multiplyExact),
              (long) tensor.dtype().bits());
    } catch (ArithmeticException e) {
      throw HeaderErrors.of(
          VALIDATION_OVERFLOW,
          file,
          tensor.name(),
          "of shape %s has more bits than 2^63".formatted(shape(tensor)));
    }
    if (bits % 8 != 0) {
      throw HeaderErrors.of(
          MISALIGNED_SLICE,
          file,
          tensor.name(),
          "of type %s and shape %s ends inside a byte".formatted(tensor.dtype(), shape(tensor)));
    }
    if (tensor.end() - tensor.begin() != bits / 8) {
      throw HeaderErrors.of(
          TENSOR_INVALID_INFO,
          file,
          tensor.name(),
          "of type %s and shape %s needs %d bytes, but its data_offsets [%d, %d] span %d"
              .formatted(
                  tensor.dtype(),
                  shape(tensor),
                  bits / 8,
                  tensor.begin(),
                  tensor.end(),
                  tensor.end() - tensor.begin()));
    }
  }

  private static String shape(HeaderJson.Tensor tensor) {
    return Printable.excerpt(tensor.shape().toString());
  }
}
