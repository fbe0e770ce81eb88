package io.shardpress.integration.stores;

import java.util.SplittableRandom;
import java.util.regex.Pattern;

/** What goes wrong at an S3 endpoint: a fault, or none, for every request by its number. */
interface S3Faults {
  S3Faults NONE = (number, request) -> Kind.NONE;

  /** What a client meets. */
  enum Kind {
    NONE,
    /** 503 SlowDown. */
    BUSY,
    /** 500. */
    BROKEN,
    /** 403. */
    DENIED,
    /** 404 of a key. */
    MISSING,
    /** The connection is reset before anything is done. */
    RESET,
    /** The request is carried out, and the connection reset before the answer. */
    LOST,
    /** The answer ends before the length that it promised. */
    SHORT,
    /** The answer stops half-way, and the connection stays open. */
    STALLED
  }

  Kind of(long number, HttpRequest request);

  /** About one in ten requests. */
  static S3Faults oneInTen(Kind kind, long seed) {
    System.out.printf("one request in ten is %s, seed %d%n", kind, seed);
    return (number, request) ->
        new SplittableRandom(seed + number).nextInt(10) == 0 ? kind : Kind.NONE;
  }

  /** Five requests one after the other, out of every forty. */
  static S3Faults bursts(Kind kind) {
    return (number, request) -> number % 40 >= 30 && number % 40 < 35 ? kind : Kind.NONE;
  }

  /** So many requests, from the first that fits on: a method, and a pattern found in the path. */
  static S3Faults on(Kind kind, String method, String path, int times) {
    Pattern pattern = Pattern.compile(path);
    int[] left = {times};
    return (number, request) ->
        request.method().equals(method) && pattern.matcher(request.path()).find() && left[0]-- > 0
            ? kind
            : Kind.NONE;
  }
}
