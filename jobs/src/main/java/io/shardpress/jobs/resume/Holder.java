package io.shardpress.jobs.resume;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process that holds a lease.
 *
 * @param host its host's name
 * @param processes the namespace of its process ids, where the system has such: containers of one
 *     host may have equal ids
 * @param pid its process id
 * @param start when the process began, in ms since 1970; 0 where the system does not say
 */
record Holder(String host, String processes, long pid, long start) {

  /** This process. */
  static Holder here() {
    ProcessHandle process = ProcessHandle.current();
    return new Holder(hostName(), namespace(), process.pid(), start(process));
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  private static String namespace() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(instant -> instant.toEpochMilli()).orElse(0L);
  }

  /** Whether the process lives, where this one can tell. */
  Optional<Boolean> lives() {
    Holder here = here();
    if (!host.equals(here.host) || !processes.equals(here.processes) || host.equals("unknown")) {
      return Optional.empty();
    }
    return Optional.of(
        ProcessHandle.of(pid)
            .filter(ProcessHandle::isAlive)
            .filter(process -> start(process) == start)
            .isPresent());
  }

  ObjectNode json() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("host", host)
        .put("processes", processes)
        .put("pid", pid)
        .put("start", start);
  }

  static Holder parse(JsonNode json) {
    return new Holder(
        json.path("host").asText(),
        json.path("processes").asText(),
        json.path("pid").asLong(),
        json.path("start").asLong());
  }

  @Override
  public String toString() {
    return "process %d on host %s".formatted(pid, host);
  }
}
