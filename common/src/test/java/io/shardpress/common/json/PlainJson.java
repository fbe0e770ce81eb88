package io.shardpress.common.json;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * RFC 8259 written out plainly, as the second opinion on {@link StrictJson}: objects are maps,
 * arrays lists, whole numbers {@link BigInteger}, other numbers {@link Double}, null {@link #NULL}.
 * Refuses duplicate keys, deep nesting and long numbers, as our rules say.
 */
public final class PlainJson {
  /** The JSON value null. */
  public static final Object NULL = new Object();

  private static final int LONGEST_NUMBER = 1000;

  private final String text;
  private int at;

  private PlainJson(String text) {
    this.text = text;
  }

  /** Not JSON by our rules. */
  public static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String why) {
      super(why, null, false, false);
    }
  }

  /** The one value that the bytes hold. */
  public static Object parse(byte[] utf8) throws Refused {
    String text;
    try {
      text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(utf8))
              .toString();
    } catch (CharacterCodingException e) {
      throw new Refused("not UTF-8");
    }
    PlainJson json = new PlainJson(text);
    Object value = json.value(0);
    json.space();
    if (json.at < text.length()) {
      throw new Refused("more after the value");
    }
    return value;
  }

  private Object value(int depth) throws Refused {
    space();
    char c = peek();
    if (c == '{' || c == '[') {
      if (depth == StrictJson.MAX_DEPTH) {
        throw new Refused("too deep");
      }
      return c == '{' ? object(depth + 1) : array(depth + 1);
    }
    if (c == '"') {
      return string();
    }
    if (c == '-' || isDigit(c)) {
      return number();
    }
    if (word("true")) {
      return true;
    }
    if (word("false")) {
      return false;
    }
    if (word("null")) {
      return NULL;
    }
    throw new Refused("no value");
  }

  private Map<String, Object> object(int depth) throws Refused {
    Map<String, Object> members = new LinkedHashMap<>();
    at++;
    space();
    if (peek() == '}') {
      at++;
      return members;
    }
    while (true) {
      space();
      String key = string();
      space();
      expect(':');
      if (members.putIfAbsent(key, value(depth)) != null) {
        throw new Refused("duplicate key");
      }
      space();
      if (peek() == '}') {
        at++;
        return members;
      }
      expect(',');
    }
  }

  private List<Object> array(int depth) throws Refused {
    List<Object> elements = new ArrayList<>();
    at++;
    space();
    if (peek() == ']') {
      at++;
      return elements;
    }
    while (true) {
      elements.add(value(depth));
      space();
      if (peek() == ']') {
        at++;
        return elements;
      }
      expect(',');
    }
  }

  private String string() throws Refused {
    expect('"');
    StringBuilder result = new StringBuilder();
    while (peek() != '"') {
      char c = peek();
      at++;
      if (c < 0x20) {
        throw new Refused("control character in a string");
      }
      result.append(c == '\\' ? escaped() : c);
    }
    at++;
    return result.toString();
  }

  private char escaped() throws Refused {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        if (at + 4 > text.length() || !text.substring(at, at + 4).matches("[0-9A-Fa-f]{4}")) {
          throw new Refused("no four hexadecimal digits");
        }
        at += 4;
        yield (char) Integer.parseInt(text.substring(at - 4, at), 16);
      }
      default -> throw new Refused("unknown escape");
    };
  }

  private Object number() throws Refused {
    int start = at;
    if (peek() == '-') {
      at++;
    }
    if (peek() == '0') {
      at++;
    } else {
      digits();
    }
    boolean whole = true;
    if (peek() == '.') {
      at++;
      digits();
      whole = false;
    }
    if (peek() == 'e' || peek() == 'E') {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits();
      whole = false;
    }
    String number = text.substring(start, at);
    if (number.length() > LONGEST_NUMBER) {
      throw new Refused("long number");
    }
    if (whole && number.startsWith("-0")) {
      return -0.0; // an integer to JSON, but none that BigInteger has
    }
    return whole ? (Object) new BigInteger(number) : (Object) Double.valueOf(number);
  }

  private void digits() throws Refused {
    if (!isDigit(peek())) {
      throw new Refused("no digit");
    }
    while (isDigit(peek())) {
      at++;
    }
  }

  private boolean word(String word) {
    if (text.startsWith(word, at)) {
      at += word.length();
      return true;
    }
    return false;
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private void expect(char wanted) throws Refused {
    if (peek() != wanted) {
      throw new Refused("no " + wanted);
    }
    at++;
  }

  /** The next character; NUL, which may stand nowhere in JSON, at the end. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
