package io.shardpress.integration.stores;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.integration.Cli;
import io.shardpress.integration.faults.TinyRun;
import io.shardpress.integration.faults.TinyRun.Way;
import java.io.IOException;
import java.nio.file.Path;
import java.security.PrivilegedAction;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.security.UserGroupInformation;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Model, data and output on a HDFS of three datanodes in this process. */
class HdfsTest {
  private static final int ENVIRONMENT = 3;
  private static final int DESTINATION = 5;
  private static final int DATANODES = 3;
  private static final long SEED = 1;

  @TempDir private static Path disks;
  private static MiniDFSCluster cluster;

  @TempDir private Path folder;
  private Store store;
  private Location root;
  private TinyRun run;

  @BeforeAll
  static void start() throws IOException {
    Configuration configuration = new Configuration();
    configuration.set("dfs.replication", "2");
    cluster =
        new MiniDFSCluster.Builder(configuration, disks.toFile()).numDataNodes(DATANODES).build();
    cluster.waitActive();
  }

  @AfterAll
  static void stop() {
    cluster.shutdown();
  }

  @BeforeEach
  void prepare() {
    store = HadoopStore.of(cluster.getConfiguration(0));
    root = Location.of(cluster.getURI() + folder.toString());
    run = TinyRun.in(store, folder, root, SEED);
  }

  @Test
  void a_run_publishes_there_what_it_publishes_locally() {
    String recipe = recipe(Way.SEQUENTIAL, "");
    Cli.run("compress", recipe).succeeded();

    Cli.run("verify", recipe).succeeded();
    assertThat(
            Cli.run("evaluate", recipe, "--reference", root.child("model").uri()).succeeded().out())
        .contains("perplexity");
    assertThat(published()).isEqualTo(locally(Way.SEQUENTIAL));
  }

  @Test
  void a_datanode_may_be_lost_on_the_way() throws IOException {
    // Hadoop keeps its file systems by address; under this one it has none yet.
    String address = "hdfs://127.0.0.1:" + cluster.getNameNodePort();
    MiniDFSCluster.DataNodeProperties[] lost = new MiniDFSCluster.DataNodeProperties[1];
    LosingHdfs.onCreation(12, () -> lost[0] = cluster.stopDataNode(0));
    String losing = "spark { hadoop.fs.hdfs.impl = %s }%n".formatted(LosingHdfs.class.getName());
    Cli.run("compress", run.recipe(Way.ONE_PASS, losing, path -> address + path)).succeeded();

    assertThat(lost[0]).as("the datanode that was lost").isNotNull();
    assertThat(published()).isEqualTo(locally(Way.ONE_PASS));
    assertThat(cluster.restartDataNode(lost[0], true)).isTrue();
    cluster.waitActive();
  }

  @Test
  void what_may_not_be_read_or_written_is_named() throws IOException {
    DistributedFileSystem files = cluster.getFileSystem();
    org.apache.hadoop.fs.Path at = new org.apache.hadoop.fs.Path(root.uri());
    files.setPermission(at, new FsPermission("755"));
    String recipe = recipe(Way.RTN, "");

    as("stranger", "compress", recipe)
        .refused(DESTINATION, root.child("output").uri(), "Permission denied");

    files.setPermission(new org.apache.hadoop.fs.Path(at, "model"), new FsPermission("700"));
    files.setPermission(at, new FsPermission("777"));
    as("stranger", "compress", recipe)
        .refused(ENVIRONMENT, root.child("model").uri(), "permission denied");
  }

  @Test
  void a_quota_ends_the_run_before_anything_is_published() throws IOException {
    DistributedFileSystem files = cluster.getFileSystem();
    org.apache.hadoop.fs.Path output = new org.apache.hadoop.fs.Path(root.child("output").uri());
    files.mkdirs(output);
    files.setQuota(output, 5, Long.MAX_VALUE);

    Cli.run("compress", recipe(Way.RTN, "")).refused(DESTINATION, "quota");

    assertThat(store.exists(root.child("output").child("_SUCCESS.json"))).isFalse();
  }

  @Test
  void of_two_writers_one_creates_the_file() {
    Race.createdByOne(store, root);
  }

  private String recipe(Way way, String more) {
    return run.recipe(way, more, path -> cluster.getURI() + path.toString());
  }

  private Map<String, String> published() {
    return Stores.published(store, root.child("output"), folder.resolve("copy"));
  }

  private Map<String, String> locally(Way way) {
    return Stores.locally(folder.resolve("local"), way, SEED);
  }

  private static Cli.Result as(String user, String... command) {
    return UserGroupInformation.createRemoteUser(user)
        .doAs((PrivilegedAction<Cli.Result>) () -> Cli.run(command));
  }
}
