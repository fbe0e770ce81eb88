package io.shardpress.common.safetensors;

import static io.shardpress.common.error.CheckpointFormatException.Code.DUPLICATE_KEY;
import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_HEADER;
import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_HEADER_DESERIALIZATION;
import static io.shardpress.common.error.CheckpointFormatException.Code.VALIDATION_OVERFLOW;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The JSON of a header as it stands: shape and types are right (rules 4 to 6), sizes unchecked. */
record HeaderJson(Map<String, String> metadata, List<Tensor> tensors) {

  /** A tensor as declared; offsets count from the start of the data. */
  record Tensor(String name, DType dtype, List<Long> shape, long begin, long end) {}

  static HeaderJson parse(String file, byte[] json) {
    if (!StrictJson.isUtf8(json)) {
      throw HeaderErrors.of(INVALID_HEADER, file, "the header is not UTF-8 text");
    }
    try (JsonParser parser = StrictJson.parser(json)) {
      return new Reader(file, parser).header();
    } catch (JsonProcessingException e) {
      String message = e.getOriginalMessage();
      throw HeaderErrors.of(
          message.startsWith("Duplicate field") ? DUPLICATE_KEY : INVALID_HEADER_DESERIALIZATION,
          file,
          "the header is not valid JSON: " + HeaderErrors.quoted(message));
    } catch (IOException e) {
      throw HeaderErrors.of(INVALID_HEADER, file, "the header cannot be read: " + e.getMessage());
    }
  }

  private record Reader(String file, JsonParser parser) {

    HeaderJson header() throws IOException {
      Map<String, String> metadata = Map.of();
      List<Tensor> tensors = new ArrayList<>();
      expect(parser.nextToken(), JsonToken.START_OBJECT, "the header");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = wellFormed(parser.currentName(), "a name");
        JsonToken value = parser.nextToken();
        if (!name.equals("__metadata__")) {
          tensors.add(tensor(name, value));
        } else if (value != JsonToken.VALUE_NULL) {
          metadata = metadata(value);
        }
      }
      if (parser.nextToken() != null) {
        throw invalid("text follows the closing brace of the header");
      }
      return new HeaderJson(metadata, tensors);
    }

    private Map<String, String> metadata(JsonToken start) throws IOException {
      expect(start, JsonToken.START_OBJECT, "__metadata__");
      Map<String, String> metadata = new LinkedHashMap<>();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = wellFormed(parser.currentName(), "a metadata key");
        expect(parser.nextToken(), JsonToken.VALUE_STRING, "__metadata__ " + quoted(key));
        metadata.put(key, wellFormed(parser.getText(), "a metadata value"));
      }
      return metadata;
    }

    private Tensor tensor(String name, JsonToken start) throws IOException {
      String label = "tensor " + quoted(name);
      expect(start, JsonToken.START_OBJECT, label);
      Optional<DType> dtype = Optional.empty();
      Optional<List<Long>> shape = Optional.empty();
      Optional<List<Long>> offsets = Optional.empty();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        JsonToken value = parser.nextToken();
        switch (field) {
          case "dtype" -> dtype = Optional.of(dtype(label, value));
          case "shape" -> shape = Optional.of(integers(label + " shape", value));
          case "data_offsets" -> offsets = Optional.of(integers(label + " data_offsets", value));
          default -> parser.skipChildren();
        }
      }
      if (dtype.isEmpty() || shape.isEmpty() || offsets.isEmpty()) {
        throw invalid(label + " lacks dtype, shape or data_offsets");
      }
      if (offsets.get().size() != 2) {
        throw invalid(label + " has " + offsets.get().size() + " data_offsets instead of 2");
      }
      return new Tensor(name, dtype.get(), shape.get(), offsets.get().get(0), offsets.get().get(1));
    }

    private DType dtype(String label, JsonToken token) throws IOException {
      expect(token, JsonToken.VALUE_STRING, label + " dtype");
      String name = parser.getText();
      return DType.named(name)
          .orElseThrow(() -> invalid(label + " has the unknown dtype " + quoted(name)));
    }

    private List<Long> integers(String label, JsonToken start) throws IOException {
      expect(start, JsonToken.START_ARRAY, label);
      List<Long> values = new ArrayList<>();
      for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
        expect(t, JsonToken.VALUE_NUMBER_INT, label);
        values.add(integer(label, parser.getText()));
      }
      return values;
    }

    /** From the digits, because Jackson's own conversions wrap or truncate. */
    private long integer(String label, String digits) {
      if (digits.startsWith("-")) {
        throw invalid(label + " holds the negative number " + quoted(digits));
      }
      try {
        return Long.parseLong(digits);
      } catch (NumberFormatException e) {
        throw HeaderErrors.of(
            VALIDATION_OVERFLOW, file, label + " holds " + quoted(digits) + ", beyond 2^63 - 1");
      }
    }

    /** A lone surrogate can be escaped in JSON, but is no Unicode text. */
    private String wellFormed(String text, String what) {
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
        throw invalid(what + ", " + quoted(text) + ", is not Unicode text");
      }
      return text;
    }

    private void expect(JsonToken found, JsonToken wanted, String what) {
      if (found != wanted) {
        throw invalid("%s is %s instead of %s".formatted(what, found, wanted));
      }
    }

    private CheckpointFormatException invalid(String problem) {
      return HeaderErrors.of(INVALID_HEADER_DESERIALIZATION, file, problem);
    }

    private static String quoted(String text) {
      return HeaderErrors.quoted(text);
    }
  }
}
