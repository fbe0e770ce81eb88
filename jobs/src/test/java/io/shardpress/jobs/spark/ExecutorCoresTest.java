package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class ExecutorCoresTest {

  @Test
  void aLocalMasterSaysHowManyItHas() {
    assertThat(known("local", "8")).isEqualTo(1);
    assertThat(known("local[3]", "8")).isEqualTo(3);
    assertThat(known("local[12,4]", "8")).isEqualTo(12);
    assertThat(known("local[*,2]", "8")).isEqualTo(Runtime.getRuntime().availableProcessors());
  }

  @Test
  void onAClusterTheSettingDoes() {
    assertThat(known("yarn", "4")).isEqualTo(4);
    assertThat(known("k8s://https://host:443", "4")).isEqualTo(4);
  }

  @Test
  void whereNothingSaysATaskKeepsToItsOwn() {
    SparkConf conf = new SparkConf(false).set("spark.master", "spark://host:7077");
    assertThat(ExecutorCores.of(conf).known()).isZero();
  }

  private static int known(String master, String setting) {
    SparkConf conf = new SparkConf(false);
    conf.set("spark.master", master).set("spark.executor.cores", setting);
    return ExecutorCores.of(conf).known();
  }
}
