package io.shardpress.integration.processes;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A standalone cluster on this machine: a master and two workers, each of which has a core, a
 * gibibyte and an address of its own, because Spark runs no copy of a task on the host of its
 * original.
 */
final class Cluster implements AutoCloseable {
  private static final int WORKERS = 2;

  private final List<Child> servers = new ArrayList<>();
  private final String master;

  private Cluster(Path folder) {
    Child started =
        Child.server(
            folder,
            "org.apache.spark.deploy.master.Master",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--webui-port",
            "0");
    servers.add(started);
    String line = started.awaitLine("Starting Spark master at ");
    master = line.substring(line.indexOf("spark://"));
    started.awaitLine("I have been elected leader");
    started.drained();
  }

  static Cluster start(Path folder) {
    Cluster cluster = new Cluster(folder);
    for (int worker = 1; worker <= WORKERS; worker++) {
      cluster.servers.add(
          Child.server(
              folder,
              "org.apache.spark.deploy.worker.Worker",
              "--host",
              "127.0.0." + worker,
              "--cores",
              "1",
              "--memory",
              "1g",
              "--webui-port",
              "0",
              "--work-dir",
              folder.resolve("worker-" + worker).toString(),
              cluster.master));
    }
    for (Child worker : cluster.servers.subList(1, cluster.servers.size())) {
      worker.awaitLine("Successfully registered with master");
      worker.drained();
    }
    return cluster;
  }

  /** {@code spark://host:port}. */
  String master() {
    return master;
  }

  @Override
  public void close() {
    servers.forEach(Child::close);
  }
}
