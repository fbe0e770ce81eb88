package io.shardpress.integration.stores;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What an S3 endpoint says to one request. */
@SuppressWarnings("ArrayRecordComponent")
record S3Answer(int status, Map<String, String> headers, byte[] body) {

  static S3Answer xml(String text) {
    return new S3Answer(
        200,
        Map.of("Content-Type", "application/xml"),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + text).getBytes(StandardCharsets.UTF_8));
  }

  static S3Answer of(int status, Map<String, String> headers) {
    return new S3Answer(status, headers, new byte[0]);
  }

  static S3Answer error(int status, String code) {
    S3Answer told =
        xml(
            "<Error><Code>%s</Code><Message>injected or true: %s</Message></Error>"
                .formatted(code, code));
    return new S3Answer(status, told.headers(), told.body());
  }
}
