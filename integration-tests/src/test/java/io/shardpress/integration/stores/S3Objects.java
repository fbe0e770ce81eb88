package io.shardpress.integration.stores;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The buckets of an S3 endpoint, in memory: objects by {@code /bucket/key}, and the verbs that S3A
 * uses. Buckets need not be made.
 */
final class S3Objects {
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d*)");
  private static final Pattern KEY = Pattern.compile("<Key>(.*?)</Key>");
  private static final Instant TIME = Instant.parse("2026-01-01T00:00:00Z");

  private final NavigableMap<String, byte[]> objects = new TreeMap<>();
  private final Map<String, SortedMap<Integer, byte[]>> uploads = new TreeMap<>();
  private final List<String> completed = new ArrayList<>();
  private long conditional;
  private boolean conditionsCount = true;

  /** Paths of all objects. */
  synchronized Set<String> names() {
    return new TreeSet<>(objects.keySet());
  }

  /** Paths of the objects that came in parts. */
  synchronized List<String> inParts() {
    return List.copyOf(completed);
  }

  /** Uploads in parts that were neither completed nor aborted. */
  synchronized int openUploads() {
    return uploads.size();
  }

  /** How often an object was to be created only if there is none. */
  synchronized long conditional() {
    return conditional;
  }

  /** Empties the buckets. */
  synchronized void clear() {
    objects.clear();
    uploads.clear();
    completed.clear();
    conditional = 0;
    conditionsCount = true;
  }

  /** As stores do that do not know {@code If-None-Match} of a PUT. */
  synchronized void ignoreConditions() {
    conditionsCount = false;
  }

  synchronized S3Answer answer(HttpRequest request) {
    Map<String, String> query = request.query();
    boolean bucket = request.path().indexOf('/', 1) < 0 || request.path().matches("/[^/]+/");
    return switch (request.method()) {
      case "HEAD" -> bucket ? S3Answer.of(200, Map.of()) : head(request);
      case "GET" -> bucket ? list(request) : get(request);
      case "PUT" -> query.containsKey("uploadId") ? part(request) : put(request, request.body());
      case "DELETE" -> {
        if (query.containsKey("uploadId")) {
          uploads.remove(query.get("uploadId"));
        } else {
          objects.remove(request.path());
        }
        yield S3Answer.of(204, Map.of());
      }
      case "POST" -> post(request, bucket);
      default -> S3Answer.error(405, "MethodNotAllowed");
    };
  }

  private S3Answer head(HttpRequest request) {
    byte[] object = objects.get(request.path());
    if (object == null) {
      return S3Answer.of(404, Map.of());
    }
    Map<String, String> headers = new TreeMap<>(described(object));
    headers.put("Content-Length", Integer.toString(object.length));
    return S3Answer.of(200, headers);
  }

  private S3Answer get(HttpRequest request) {
    byte[] object = objects.get(request.path());
    if (object == null) {
      return S3Answer.error(404, "NoSuchKey");
    }
    Map<String, String> headers = new TreeMap<>(described(object));
    Matcher range = RANGE.matcher(request.headers().getOrDefault("range", ""));
    if (!range.matches()) {
      return new S3Answer(200, headers, object);
    }
    int first = Integer.parseInt(range.group(1));
    int last = range.group(2).isEmpty() ? object.length - 1 : Integer.parseInt(range.group(2));
    if (first >= object.length) {
      return S3Answer.error(416, "InvalidRange");
    }
    last = Math.min(last, object.length - 1);
    headers.put("Content-Range", "bytes %d-%d/%d".formatted(first, last, object.length));
    return new S3Answer(206, headers, Arrays.copyOfRange(object, first, last + 1));
  }

  private S3Answer put(HttpRequest request, byte[] body) {
    if ("*".equals(request.headers().get("if-none-match"))) {
      conditional++;
      if (conditionsCount && objects.containsKey(request.path())) {
        return S3Answer.error(412, "PreconditionFailed");
      }
    }
    objects.put(request.path(), body);
    return S3Answer.of(200, Map.of("ETag", tag(body)));
  }

  private S3Answer part(HttpRequest request) {
    SortedMap<Integer, byte[]> parts = uploads.get(request.query().get("uploadId"));
    if (parts == null) {
      return S3Answer.error(404, "NoSuchUpload");
    }
    parts.put(Integer.parseInt(request.query().get("partNumber")), request.body());
    return S3Answer.of(200, Map.of("ETag", tag(request.body())));
  }

  private S3Answer post(HttpRequest request, boolean bucket) {
    if (bucket && request.query().containsKey("delete")) {
      Matcher keys = KEY.matcher(new String(request.body(), StandardCharsets.UTF_8));
      while (keys.find()) {
        objects.remove(bucketOf(request) + plain(keys.group(1)));
      }
      return S3Answer.xml("<DeleteResult></DeleteResult>");
    }
    if (request.query().containsKey("uploads")) {
      String id = UUID.randomUUID().toString();
      uploads.put(id, new TreeMap<>());
      return S3Answer.xml(
          "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>"
              .formatted(id));
    }
    SortedMap<Integer, byte[]> parts = uploads.get(request.query().get("uploadId"));
    if (parts == null) {
      return S3Answer.error(404, "NoSuchUpload");
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    parts.values().forEach(whole::writeBytes);
    S3Answer put = put(request, whole.toByteArray());
    if (put.status() != 200) {
      return put;
    }
    uploads.remove(request.query().get("uploadId"));
    completed.add(request.path());
    return S3Answer.xml(
        "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>"
            .formatted(tag(whole.toByteArray())));
  }

  private S3Answer list(HttpRequest request) {
    String prefix = bucketOf(request) + request.query().getOrDefault("prefix", "");
    String delimiter = request.query().getOrDefault("delimiter", "");
    StringBuilder contents = new StringBuilder();
    Set<String> folders = new TreeSet<>();
    int count = 0;
    for (Map.Entry<String, byte[]> object : objects.tailMap(prefix, true).entrySet()) {
      String path = object.getKey();
      if (!path.startsWith(prefix)) {
        break;
      }
      int end = delimiter.isEmpty() ? -1 : path.indexOf(delimiter, prefix.length());
      if (end >= 0) {
        folders.add(path.substring(bucketOf(request).length(), end + 1));
      } else {
        count++;
        contents.append(
            "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag><Size>%d</Size></Contents>"
                .formatted(
                    escaped(path.substring(bucketOf(request).length())),
                    TIME,
                    escaped(tag(object.getValue())),
                    object.getValue().length));
      }
    }
    folders.forEach(
        folder ->
            contents.append(
                "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>".formatted(escaped(folder))));
    return S3Answer.xml(
        "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>%d</KeyCount>%s</ListBucketResult>"
            .formatted(count + folders.size(), contents));
  }

  private static String bucketOf(HttpRequest request) {
    return "/" + request.path().split("/", -1)[1] + "/";
  }

  private static Map<String, String> described(byte[] object) {
    return Map.of(
        "ETag", tag(object),
        "Last-Modified", DateTimeFormatter.RFC_1123_DATE_TIME.format(TIME.atOffset(ZoneOffset.UTC)),
        "Accept-Ranges", "bytes");
  }

  private static String tag(byte[] object) {
    try {
      byte[] hash = MessageDigest.getInstance("MD5").digest(object);
      return "\"" + HexFormat.of().formatHex(hash) + "\"";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }

  private static String plain(String xml) {
    return xml.replace("&lt;", "<").replace("&quot;", "\"").replace("&amp;", "&");
  }
}
