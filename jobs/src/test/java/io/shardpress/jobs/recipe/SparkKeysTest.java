package io.shardpress.jobs.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.InMemoryStore;
import io.shardpress.common.storage.Location;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SparkKeysTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "jars | http://host/x.jar",
        "jars.packages | org.evil:x:1",
        "jars.repositories | http://host/maven",
        "jars.ivySettings | /tmp/ivy.xml",
        "files | /etc/passwd",
        "archives | http://host/x.zip",
        "submit.pyFiles | /tmp/x.py",
        "plugins | x",
        "extraListeners | org.apache.spark.scheduler.StatsReportListener",
        "driver.extraClassPath | /tmp/x.jar",
        "executor.extraClassPath | /tmp/x.jar",
        "executor.extraLibraryPath | /tmp",
        "executor.userClassPathFirst | true",
        "executor.extraJavaOptions | -Xss4m -javaagent:/tmp/x.jar",
        "driver.extraJavaOptions | -agentpath:/tmp/x.so",
        "driver.defaultJavaOptions | '-XX:OnOutOfMemoryError=\"touch /tmp/x\"'",
        "executor.extraJavaOptions | @/tmp/options",
        "executor.extraJavaOptions | -XX:Flags=/tmp/x",
        "executor.extraJavaOptions | -cp /tmp/x.jar",
        "executorEnv.LD_PRELOAD | /tmp/x.so",
        "executorEnv.JAVA_TOOL_OPTIONS | -javaagent:/tmp/x.jar",
        "yarn.appMasterEnv.CLASSPATH | /tmp",
        "yarn.jars | hdfs:///x",
        "yarn.dist.jars | hdfs:///x",
        "kubernetes.driver.podTemplateFile | /tmp/x.yaml",
        "kubernetes.container.image | evil/image",
        "kubernetes.executor.container.image | evil/image",
        "sql.extensions | x",
        "sql.catalog.x | y",
        "sql.queryExecutionListeners | x",
        "kryo.registrator | x",
        "metrics.conf.*.sink.x.class | x",
        "ui.filters | x",
        "executor.resource.gpu.discoveryScript | /tmp/x.sh",
        "pyspark.python | /tmp/x",
        "serializer | com.evil.Serializer",
        "shuffle.manager | com.evil.Manager",
        "hadoop.fs.x.impl | com.evil.FileSystem",
        "hadoop.fs.s3a.aws.credentials.provider |"
            + " org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider,com.evil.Provider",
        "hadoop.io.compression.codecs | org.apache.commons.Evil"
      })
  void whatBringsCodeIsRefused(String key, String value) {
    String line = "spark { \"%s\" = \"%s\" }".formatted(key, value.replace("\"", "\\\""));
    assertThatThrownBy(() -> read(line))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("mem://host/recipe.conf:1: the Spark setting 'spark." + key + "'")
        .hasMessageContaining("is refused in a recipe")
        .hasMessageContaining("-- --conf");
    assertThatThrownBy(
            () -> RecipeReader.ofAssignments(List.of("spark." + quoted(key) + "=" + value)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is refused in a recipe");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "master | local[4]",
        "executor.memory | 12g",
        "executor.extraJavaOptions | -Xss4m -XX:+UseG1GC -Dx=y",
        "executorEnv.OMP_NUM_THREADS | 1",
        "serializer | org.apache.spark.serializer.KryoSerializer",
        "hadoop.fs.s3a.endpoint | http://localhost:9000",
        "hadoop.fs.s3a.aws.credentials.provider |"
            + " org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        "hadoop.fs.faulty.impl | io.shardpress.integration.FaultyFileSystem",
        "local.dir | /scratch/Data.Dir",
        "ui.enabled | false"
      })
  void sizesPlacesAndSwitchesAreTaken(String key, String value) {
    assertThat(read("spark { \"%s\" = \"%s\" }".formatted(key, value)).spark())
        .containsEntry("spark." + key, value);
  }

  @Test
  void aKeyCannotHideInQuotesOrSections() {
    for (String line :
        new String[] {
          "spark { jars { packages = \"a:b:1\" } }",
          "spark.jars.packages = \"a:b:1\"",
          "spark { \"jars.packages\" = \"a:b:1\" }",
          "spark { jars { \"\" = x } }",
          "spark { JARS = x }",
          "spark { Jars.Packages = x }"
        }) {
      assertThatThrownBy(() -> read(line))
          .as(line)
          .isInstanceOf(InputException.class)
          .hasMessageContaining("is refused in a recipe");
    }
  }

  private static String quoted(String key) {
    return "\"" + key + "\"";
  }

  private static Recipe read(String text) {
    InMemoryStore store = new InMemoryStore();
    Location file = Location.of("mem://host/recipe.conf");
    store.put(file, text.getBytes(StandardCharsets.UTF_8));
    return RecipeReader.read(store, file, List.of());
  }
}
