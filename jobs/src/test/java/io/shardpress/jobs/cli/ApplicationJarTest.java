package io.shardpress.jobs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("dist")
class ApplicationJarTest {
  private JarFile jar;
  private Set<String> entries;

  @BeforeEach
  void open() throws IOException {
    Launcher.requireApplicationJar();
    jar = new JarFile(Launcher.APPLICATION_JAR.toFile());
    entries = jar.stream().map(ZipEntry::getName).collect(Collectors.toSet());
  }

  @AfterEach
  void close() throws IOException {
    if (jar != null) {
      jar.close();
    }
  }

  @Test
  void it_starts_the_command_line_and_knows_its_version() throws IOException {
    Attributes manifest = jar.getManifest().getMainAttributes();

    assertThat(manifest.getValue(Attributes.Name.MAIN_CLASS)).isEqualTo(Main.class.getName());
    assertThat(manifest.getValue(Attributes.Name.IMPLEMENTATION_VERSION)).isNotBlank();
  }

  @Test
  void it_holds_nothing_that_spark_brings() {
    assertThat(entries)
        .noneMatch(
            name ->
                name.startsWith("org/apache/spark/")
                    || name.startsWith("org/apache/hadoop/")
                    || name.startsWith("org/apache/arrow/")
                    || name.startsWith("org/apache/parquet/")
                    || name.startsWith("org/apache/logging/")
                    || name.startsWith("org/slf4j/")
                    || name.startsWith("com/fasterxml/")
                    || name.startsWith("scala/"));
  }

  @Test
  void typesafe_config_has_moved_out_of_the_way_of_the_platforms() {
    assertThat(entries)
        .contains("io/shardpress/shaded/typesafe/config/Config.class")
        .noneMatch(name -> name.startsWith("com/typesafe/"));
  }

  @Test
  void signatures_of_the_parts_are_gone() {
    assertThat(entries).noneMatch(name -> name.matches("META-INF/[^/]*\\.(SF|DSA|RSA)"));
  }

  @Test
  void it_carries_the_natives_of_one_platform_and_the_services_that_find_them() throws IOException {
    assertThat(entries.stream().filter(name -> name.matches(".*/libopenblas\\.[^/]*"))).hasSize(1);
    assertThat(entries.stream().filter(name -> name.matches(".*/libnd4jcpu\\.[^/]*"))).hasSize(1);
    assertThat(entries.stream().filter(name -> name.matches(".*/libtokenizers\\.[^/]*")))
        .hasSize(1);
    try (InputStream in =
        jar.getInputStream(jar.getEntry("META-INF/services/org.nd4j.linalg.factory.Nd4jBackend"))) {
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).contains("CpuBackend");
    }
  }

  /** A library that is in neither would be missed first on somebody's cluster. */
  @Test
  void every_library_is_in_the_jar_or_in_a_spark_distribution() throws IOException {
    Set<String> inSpark;
    try (InputStream in = ApplicationJarTest.class.getResourceAsStream("spark-artifacts.txt")) {
      inSpark =
          new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.startsWith("#"))
              .flatMap(line -> Arrays.stream(line.split(" ")))
              .collect(Collectors.toSet());
    }
    List<String> standIn =
        Arrays.stream(
                Files.readString(Launcher.TARGET.resolve("spark.classpath"))
                    .strip()
                    .split(java.io.File.pathSeparator))
            // A repository keeps <artifact>/<version>/<file>.
            .map(path -> Path.of(path).getParent().getParent().getFileName().toString())
            .toList();

    assertThat(standIn)
        .as("on the class path, but not included by the profile dist of jobs/pom.xml")
        .isNotEmpty()
        .isSubsetOf(inSpark);
  }
}
