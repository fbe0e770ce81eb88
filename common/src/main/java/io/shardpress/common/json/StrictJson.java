package io.shardpress.common.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Parses JSON as RFC 8259 has it and nothing more: UTF-8 only, a duplicate key, text after the
 * value, more than {@value #MAX_DEPTH} levels or more than {@value #MAX_BYTES} bytes are errors.
 * Numbers keep their type: an integer of any size is an integer node.
 */
public final class StrictJson {
  /** Longest document, in bytes; the limit that safetensors sets for its headers. */
  public static final int MAX_BYTES = 100_000_000;

  /** Deepest nesting; that of the reference reader of safetensors headers. */
  public static final int MAX_DEPTH = 127;

  /** Most keys, values and brackets of a document that is kept in memory as a tree. */
  public static final int MAX_TREE_TOKENS = 2_000_000;

  /** Most keys, values and brackets of a document that is only looked through. */
  private static final int MAX_CHECKED_TOKENS = 10_000_000;

  private static final JsonFactory FACTORY = factory(-1);
  private static final JsonFactory CHECKED = factory(MAX_CHECKED_TOKENS);

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(factory(MAX_TREE_TOKENS))
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private StrictJson() {}

  /**
   * Names are not interned or canonicalized: documents are untrusted, and such tables can be made
   * to collide.
   */
  private static JsonFactory factory(long maxTokens) {
    return JsonFactory.builder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxNameLength(MAX_BYTES)
                .maxStringLength(MAX_BYTES)
                .maxTokenCount(maxTokens)
                .build())
        .build();
  }

  /**
   * The JSON value in {@code utf8}; {@link InputException} naming {@code source} if there is none.
   */
  public static JsonNode parse(String source, byte[] utf8) {
    requireText(source, utf8);
    try (JsonParser parser = parser(MAPPER.getFactory(), utf8)) {
      JsonNode node = MAPPER.readTree(parser);
      if (node == null || node.isMissingNode()) {
        throw empty(source);
      }
      return node;
    } catch (IOException e) {
      throw invalid(source, e);
    }
  }

  /** As {@link #parse}, for a document that must be one JSON object. */
  public static ObjectNode parseObject(String source, byte[] utf8) {
    if (parse(source, utf8) instanceof ObjectNode object) {
      return object;
    }
    throw new InputException(source + " must hold one JSON object, {…}. Correct it.");
  }

  /**
   * Refuses what {@link #parse} refuses, but keeps nothing in memory: for large documents, and for
   * those that other programs read, of which we want to know that all read the same. Refuses
   * numbers that are infinite to some and an error to others, and halves of surrogate pairs.
   */
  public static void check(String source, byte[] utf8) {
    requireText(source, utf8);
    try (JsonParser parser = parser(CHECKED, utf8)) {
      JsonToken token = parser.nextToken();
      if (token == null) {
        throw empty(source);
      }
      int depth = 0;
      do {
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        if (token.isNumeric() && !Double.isFinite(parser.getDoubleValue())) {
          throw refused(source, "A number is beyond the range of 64-bit floats");
        }
        if (token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING) {
          requireUnicode(source, parser);
        }
        token = parser.nextToken();
      } while (depth > 0);
      if (token != null) {
        throw refused(source, "Trailing text follows the value");
      }
    } catch (IOException e) {
      throw invalid(source, e);
    }
  }

  private static void requireUnicode(String source, JsonParser parser) throws IOException {
    char[] text = parser.getTextCharacters();
    int end = parser.getTextOffset() + parser.getTextLength();
    for (int i = parser.getTextOffset(); i < end; i++) {
      boolean pair = i + 1 < end && Character.isSurrogatePair(text[i], text[i + 1]);
      if (!pair && Character.isSurrogate(text[i])) {
        throw refused(source, "A string holds half of a surrogate pair, which is no Unicode text");
      }
      i += pair ? 1 : 0;
    }
  }

  private static void requireText(String source, byte[] utf8) {
    if (utf8.length > MAX_BYTES) {
      throw new InputException(
          "%s has %d bytes of JSON; at most %d are read. Check that it is the right file."
              .formatted(source, utf8.length, MAX_BYTES));
    }
    if (!isUtf8(utf8)) {
      throw new InputException(source + " is not UTF-8 text. Save or download it again as UTF-8.");
    }
  }

  private static InputException refused(String source, String why) {
    return new InputException("%s is not valid JSON: %s. Correct it.".formatted(source, why));
  }

  private static InputException empty(String source) {
    return new InputException(source + " is empty, but a JSON value is needed. Correct it.");
  }

  /** The error of a document that a parser of this class gave up on. */
  public static InputException invalid(String source, IOException cause) {
    if (cause instanceof JsonProcessingException syntax) {
      JsonLocation at = syntax.getLocation();
      String place =
          at == null ? "" : " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr());
      return new InputException(
          "%s is not valid JSON%s: %s. Correct it, or download it again."
              .formatted(source, place, Printable.excerpt(syntax.getOriginalMessage())),
          cause);
    }
    return new InputException(
        source + " cannot be parsed: " + Printable.excerpt(String.valueOf(cause.getMessage())),
        cause);
  }

  /**
   * A strict streaming parser, for documents with rules of their own. The caller has checked {@link
   * #isUtf8}, and checks that nothing follows the value.
   */
  public static JsonParser parser(byte[] utf8) throws IOException {
    return parser(FACTORY, utf8);
  }

  /** Over a reader, because from bytes Jackson would guess UTF-16 and UTF-32 as well. */
  private static JsonParser parser(JsonFactory factory, byte[] utf8) throws IOException {
    return factory.createParser(
        new InputStreamReader(new ByteArrayInputStream(utf8), StandardCharsets.UTF_8));
  }

  /** Whether the bytes are well-formed UTF-8. */
  public static boolean isUtf8(byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(8192);
    CoderResult result = decoder.decode(in, out, true);
    while (result.isOverflow()) {
      out.clear();
      result = decoder.decode(in, out, true);
    }
    return !result.isError();
  }
}
