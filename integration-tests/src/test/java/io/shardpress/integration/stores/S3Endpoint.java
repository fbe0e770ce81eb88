package io.shardpress.integration.stores;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An S3 endpoint in this process: HTTP over plain sockets, so that answers can be cut, stalled and
 * reset, before the objects of {@link S3Objects}.
 */
final class S3Endpoint implements AutoCloseable {
  private final ServerSocket server;
  private final S3Objects objects = new S3Objects();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<String> failed = new ArrayList<>();
  private volatile S3Faults faults = S3Faults.NONE;
  private long requests;

  S3Endpoint() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    daemon("s3-endpoint", this::accept);
  }

  /** Settings by which S3A finds this endpoint, as lines of {@code prefix.key = value}. */
  Map<String, String> settings() {
    return Map.ofEntries(
        Map.entry(
            "fs.s3a.endpoint",
            "http://%s:%d"
                .formatted(server.getInetAddress().getHostAddress(), server.getLocalPort())),
        Map.entry("fs.s3a.endpoint.region", "us-east-1"),
        Map.entry("fs.s3a.path.style.access", "true"),
        Map.entry("fs.s3a.connection.ssl.enabled", "false"),
        Map.entry(
            "fs.s3a.aws.credentials.provider",
            "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"),
        Map.entry("fs.s3a.connection.timeout", "3s"),
        Map.entry("fs.s3a.multipart.size", "5M"),
        Map.entry("fs.s3a.multipart.threshold", "5M"),
        Map.entry("fs.s3a.attempts.maximum", "2"),
        Map.entry("fs.s3a.retry.interval", "20ms"),
        Map.entry("fs.s3a.retry.throttle.interval", "20ms"));
  }

  /** What goes wrong from now on; counting starts anew. */
  synchronized void inject(S3Faults injected) {
    faults = injected;
    failed.clear();
    requests = 0;
  }

  /** The requests that were answered with a fault, as {@code <fault> <method> <path>}. */
  synchronized List<String> failed() {
    return List.copyOf(failed);
  }

  S3Objects objects() {
    return objects;
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        open.add(socket);
        daemon("s3-connection", () -> serve(socket));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private static void daemon(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket socket) {
    try (socket;
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = new BufferedOutputStream(socket.getOutputStream())) {
      socket.setTcpNoDelay(true);
      Optional<HttpRequest> request = HttpRequest.read(in, out);
      while (request.isPresent() && answer(request.get(), socket, in, out)) {
        request = HttpRequest.read(in, out);
      }
    } catch (IOException e) {
      // The client has hung up.
    } finally {
      open.remove(socket);
    }
  }

  /** Returns whether the connection may be used again. */
  private boolean answer(HttpRequest request, Socket socket, InputStream in, OutputStream out)
      throws IOException {
    S3Faults.Kind fault = next(request);
    switch (fault) {
      case NONE -> send(request, objects.answer(request), out);
      case BUSY -> send(request, S3Answer.error(503, "SlowDown"), out);
      case BROKEN -> send(request, S3Answer.error(500, "InternalError"), out);
      case DENIED -> send(request, S3Answer.error(403, "AccessDenied"), out);
      case MISSING -> send(request, S3Answer.error(404, "NoSuchKey"), out);
      case RESET -> {
        socket.setSoLinger(true, 0);
        return false;
      }
      case LOST -> {
        objects.answer(request);
        socket.setSoLinger(true, 0);
        return false;
      }
      case SHORT -> {
        byte[] whole = bytes(request, objects.answer(request));
        out.write(whole, 0, Math.max(1, whole.length - 1 - whole.length / 3));
        out.flush();
        return false;
      }
      case STALLED -> {
        byte[] whole = bytes(request, objects.answer(request));
        out.write(whole, 0, whole.length / 2);
        out.flush();
        return in.read() >= 0; // until the client has had enough of it
      }
    }
    return true;
  }

  private synchronized S3Faults.Kind next(HttpRequest request) {
    requests++;
    S3Faults.Kind fault = faults.of(requests, request);
    if (fault != S3Faults.Kind.NONE) {
      failed.add("%s %s %s".formatted(fault, request.method(), request.path()));
    }
    return fault;
  }

  private static void send(HttpRequest request, S3Answer answer, OutputStream out)
      throws IOException {
    out.write(bytes(request, answer));
    out.flush();
  }

  private static byte[] bytes(HttpRequest request, S3Answer answer) {
    StringBuilder head = new StringBuilder();
    head.append("HTTP/1.1 ").append(answer.status()).append(" S3\r\n");
    answer.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    head.append("x-amz-request-id: test\r\n");
    if (!answer.headers().containsKey("Content-Length")) {
      head.append("Content-Length: " + answer.body().length + "\r\n");
    }
    byte[] start = head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
    byte[] body = request.method().equals("HEAD") ? new byte[0] : answer.body();
    byte[] all = java.util.Arrays.copyOf(start, start.length + body.length);
    System.arraycopy(body, 0, all, start.length, body.length);
    return all;
  }
}
