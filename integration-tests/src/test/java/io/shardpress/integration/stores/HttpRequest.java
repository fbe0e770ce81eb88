package io.shardpress.integration.stores;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One request of HTTP/1.1 as S3 clients send it.
 *
 * @param path decoded, without the query
 * @param query decoded; keys without a value have an empty one
 * @param headers by lower-case name
 * @param body decoded if it came in signed chunks
 */
@SuppressWarnings("ArrayRecordComponent")
record HttpRequest(
    String method,
    String path,
    Map<String, String> query,
    Map<String, String> headers,
    byte[] body) {

  /** The next request of a connection; empty when the client has closed it. */
  static Optional<HttpRequest> read(InputStream in, OutputStream out) throws IOException {
    String start = line(in);
    if (start.isEmpty()) {
      return Optional.empty();
    }
    String[] words = start.split(" ", -1);
    Map<String, String> headers = new TreeMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    if ("100-continue".equalsIgnoreCase(headers.get("expect"))) {
      out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
    }
    byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
    if (headers.getOrDefault("x-amz-content-sha256", "").startsWith("STREAMING-")) {
      body = joined(body);
    }
    String[] target = words[1].split("\\?", 2);
    Map<String, String> query = new TreeMap<>();
    if (target.length > 1) {
      for (String pair : target[1].split("&", -1)) {
        String[] sides = pair.split("=", 2);
        query.put(decoded(sides[0]), sides.length > 1 ? decoded(sides[1]) : "");
      }
    }
    return Optional.of(new HttpRequest(words[0], decoded(target[0]), query, headers, body));
  }

  /** The content of {@code <size in hex>[;signature]\r\n<bytes>\r\n} pieces. */
  private static byte[] joined(byte[] chunked) throws IOException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    int at = 0;
    while (true) {
      int end = at;
      while (chunked[end] != '\r') {
        end++;
      }
      String size = new String(chunked, at, end - at, StandardCharsets.US_ASCII).split(";", 2)[0];
      int count = Integer.parseInt(size, 16);
      if (count == 0) {
        return content.toByteArray();
      }
      content.write(Arrays.copyOfRange(chunked, end + 2, end + 2 + count));
      at = end + 2 + count + 2;
    }
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int next = in.read();
      if (next < 0) {
        if (line.isEmpty()) {
          return "";
        }
        throw new EOFException("A request ends within a line");
      }
      if (next == '\n') {
        return line.toString().strip();
      }
      line.append((char) next);
    }
  }
}
