package io.shardpress.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.EnvironmentException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HadoopStoreTest extends StoreContract {
  @TempDir Path folder;

  private final Configuration configuration = new Configuration();

  @BeforeEach
  void configure() {
    configuration.setClass("fs.plain.impl", PlainFileSystem.class, FileSystem.class);
  }

  @Override
  Store store() {
    return HadoopStore.of(configuration);
  }

  @Override
  Location root() {
    return Location.of("plain:" + folder.resolve("root"));
  }

  @Test
  void namesTheMissingConnector() {
    assertThatThrownBy(() -> store().exists(Location.of("nowhere://bucket/model")))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("nowhere://bucket/model")
        .hasMessageContaining("no file system for 'nowhere'");
    assertThatThrownBy(() -> store().open(Location.of("s3a://bucket/model")))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("hadoop-aws");
    assertThatThrownBy(() -> store().create(Location.of("s3a://bucket/model")))
        .isInstanceOf(EnvironmentException.class);
  }

  @Test
  void namesTheHostThatCannotBeReached() {
    configuration.set("ipc.client.connect.max.retries", "0");
    configuration.set("dfs.client.failover.max.attempts", "0");

    assertThatThrownBy(() -> store().exists(Location.of("hdfs://no-such-host.invalid:8020/models")))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("no-such-host.invalid")
        .hasMessageContaining("cannot be reached");
    assertThatThrownBy(() -> store().exists(Location.of("hdfs://127.0.0.1:1/models")))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("cannot be reached");
  }

  @Test
  void otherSystemsThanLocalHaveNoLinks() {
    Location location = root().child("a");
    assertThat(store().resolve(location)).isEqualTo(location);
  }
}
