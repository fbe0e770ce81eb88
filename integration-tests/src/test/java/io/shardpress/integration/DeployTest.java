package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.cli.Main;
import io.shardpress.jobs.recipe.RecipeReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The examples of conf/deploy: their syntax, and that what they name is there. */
class DeployTest {
  private static final Path FOLDER = Home.root().resolve("conf/deploy");
  private static final Pattern SETTING =
      Pattern.compile("(?<![a-z.])spark\\.(?!apache)[A-Za-z][A-Za-z.]*[A-Za-z]\\b");

  /**
   * Settings that Spark looks up by other means, some in modules that are not among our libraries.
   */
  private static final Set<String> LOOKED_UP =
      Set.of(
          "spark.yarn.maxAppAttempts", "spark.authenticate.secret", "spark.network.crypto.cipher");

  /** What every example for a shared cluster sets, and to what. */
  private static final Map<String, String> SECURITY =
      Map.of(
          "spark.authenticate", "true",
          "spark.network.crypto.enabled", "true",
          "spark.network.crypto.cipher", "AES/GCM/NoPadding",
          "spark.io.encryption.enabled", "true",
          "spark.acls.enable", "true");

  @TempDir private Path scratch;

  @Test
  @SuppressWarnings("unchecked")
  void kubernetes() throws IOException {
    List<Map<String, Object>> documents = new ArrayList<>();
    new Yaml(new SafeConstructor(new LoaderOptions()))
        .loadAll(text("kubernetes.yaml"))
        .forEach(document -> documents.add((Map<String, Object>) document));
    assertThat(documents)
        .extracting(document -> document.get("kind"))
        .containsExactly("ConfigMap", "SparkApplication");
    Map<String, Object> recipe = (Map<String, Object>) documents.get(0).get("data");
    requireRecipe((String) recipe.get("recipe.conf"));

    Map<String, Object> application = documents.get(1);
    assertThat(application.get("apiVersion")).isEqualTo("sparkoperator.k8s.io/v1beta2");
    Map<String, Object> spec = (Map<String, Object>) application.get("spec");
    assertThat(spec)
        .containsEntry("type", "Java")
        .containsEntry("mode", "cluster")
        .containsEntry("mainClass", Main.class.getName())
        .containsEntry("sparkVersion", version("spark.version"))
        .containsEntry("arguments", List.of("compress", "/etc/shardpress/recipe.conf"))
        .containsKeys("image", "mainApplicationFile", "memoryOverheadFactor", "volumes");
    assertThat((Map<String, Object>) spec.get("sparkConf")).containsAllEntriesOf(SECURITY);
    assertThat((Map<String, Object>) spec.get("restartPolicy"))
        .containsEntry("type", "OnFailure")
        .containsKey("onFailureRetries");
    Map<String, Object> driver = (Map<String, Object>) spec.get("driver");
    assertThat(driver).containsKeys("serviceAccount", "configMaps");
    for (Object pod : List.of(driver, spec.get("executor"))) {
      assertThat((Map<String, Object>) pod).containsKeys("cores", "memory", "volumeMounts");
      Map<String, Object> security =
          (Map<String, Object>) ((Map<String, Object>) pod).get("securityContext");
      assertThat(security)
          .containsEntry("runAsNonRoot", true)
          .containsEntry("allowPrivilegeEscalation", false)
          .containsEntry("capabilities", Map.of("drop", List.of("ALL")))
          .containsEntry("seccompProfile", Map.of("type", "RuntimeDefault"));
    }
  }

  private void requireRecipe(String recipe) {
    Path file = scratch.resolve("recipe.conf");
    Folders.write(file, recipe.getBytes(StandardCharsets.UTF_8));
    assertThat(
            RecipeReader.read(
                    HadoopStore.of(new Configuration()), Location.of(file.toString()), List.of())
                .steps())
        .isNotEmpty();
  }

  @Test
  void docker() throws IOException {
    List<String> instructions =
        text("Dockerfile")
            .lines()
            .filter(line -> !line.isBlank() && !line.startsWith("#"))
            .toList();

    assertThat(instructions)
        .allMatch(line -> line.matches("(ARG|FROM|COPY|USER) \\S.*"))
        .anyMatch(line -> line.startsWith("FROM "));
    assertThat(instructions.get(0))
        .matches("ARG SPARK_IMAGE=apache/spark:%s-.*".formatted(version("spark.version")));
    assertThat(instructions.get(instructions.size() - 1))
        .as("not root, as a number")
        .matches("USER [1-9][0-9]*");
    assertThat(text("kubernetes.yaml"))
        .contains("local:///opt/shardpress/shardpress-app.jar")
        .contains("runAsUser: 185");
    assertThat(instructions).anyMatch(line -> line.endsWith("/opt/shardpress/shardpress-app.jar"));
  }

  @Test
  void settings_that_many_share() throws IOException {
    Properties settings = new Properties();
    settings.load(new StringReader(text("spark-defaults.conf")));

    Map<String, String> values = new TreeMap<>();
    settings.forEach((key, value) -> values.put((String) key, ((String) value).strip()));
    assertThat(values).containsAllEntriesOf(SECURITY);
    assertThat(Double.parseDouble(values.get("spark.executor.memoryOverheadFactor")))
        .isGreaterThanOrEqualTo(0.5);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kubernetes.yaml",
        "spark-defaults.conf",
        "yarn.sh",
        "standalone.sh",
        "airflow_dag.py",
        "Dockerfile"
      })
  void spark_knows_every_setting(String file) throws IOException {
    // The settings of a package are known once it is loaded.
    assertThat(org.apache.spark.internal.config.package$.MODULE$).isNotNull();
    assertThat(org.apache.spark.internal.config.UI$.MODULE$).isNotNull();
    assertThat(org.apache.spark.internal.config.Network$.MODULE$).isNotNull();
    Matcher settings = SETTING.matcher(text(file));
    while (settings.find()) {
      String key = settings.group();
      assertThat(
              LOOKED_UP.contains(key)
                  || org.apache.spark.internal.config.ConfigEntry$.MODULE$.findEntry(key) != null)
          .as(key)
          .isTrue();
    }
  }

  @Test
  void the_cipher_is_one_that_authenticates() {
    String key = "spark.network.crypto.cipher";
    TransportConf set =
        new TransportConf("rpc", new MapConfigProvider(Map.of(key, SECURITY.get(key))));
    TransportConf unset = new TransportConf("rpc", MapConfigProvider.EMPTY);

    assertThat(set.cipherTransformation()).contains("/GCM/");
    assertThat(unset.cipherTransformation()).as("why it has to be set").doesNotContain("/GCM/");
  }

  @ParameterizedTest
  @ValueSource(strings = {"yarn.sh", "standalone.sh"})
  void scripts_call_spark_submit(String script) throws Exception {
    assertThat(ended("bash", "-n", FOLDER.resolve(script).toString())).isZero();
    assertThat(Files.isExecutable(FOLDER.resolve(script))).isTrue();
    // A stand-in that tells what it was called with.
    Path submit = scratch.resolve("bin/spark-submit");
    Folders.write(submit, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n".getBytes(StandardCharsets.UTF_8));
    assertThat(submit.toFile().setExecutable(true)).isTrue();
    List<String> command = new ArrayList<>(List.of(FOLDER.resolve(script).toString()));
    if (script.equals("standalone.sh")) {
      command.add("spark://master:7077");
    }
    command.addAll(List.of("hdfs:///recipes/a.conf", "--output", "hdfs:///out put"));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SPARK_HOME", scratch.toString());
    Process process = builder.start();
    List<String> words =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();

    assertThat(process.waitFor()).isZero();
    assertThat(words)
        .contains("--properties-file", FOLDER.resolve("spark-defaults.conf").toString())
        .containsSubsequence("--class", Main.class.getName())
        .endsWith(
            Home.root().resolve("jobs/target/shardpress-app.jar").toString(),
            "compress",
            "hdfs:///recipes/a.conf",
            "--output",
            "hdfs:///out put");
  }

  @Test
  void yarn_does_not_try_again_by_itself() throws IOException {
    assertThat(text("yarn.sh")).contains("--conf spark.yarn.maxAppAttempts=1");
  }

  @Test
  void airflow() throws Exception {
    String dag = text("airflow_dag.py");
    SECURITY.forEach(
        (key, value) -> assertThat(dag).contains("\"%s\": \"%s\"".formatted(key, value)));
    assertThat(dag)
        .contains("\"java_class\": \"%s\"".formatted(Main.class.getName()))
        .contains("\"retries\": 3", "max_active_runs=1");

    assumeTrue(isThere("python3"), "there is no python3 to check the syntax with");
    Path copy = Files.writeString(scratch.resolve("dag.py"), dag);
    assertThat(ended("python3", "-m", "py_compile", copy.toString())).isZero();
  }

  private static String text(String name) throws IOException {
    return Files.readString(FOLDER.resolve(name));
  }

  private static String version(String property) throws IOException {
    Matcher version =
        Pattern.compile("<%s>(.*)</%s>".formatted(property, property))
            .matcher(Files.readString(Home.root().resolve("pom.xml")));
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  private static int ended(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private static boolean isThere(String program) throws InterruptedException {
    try {
      return ended(program, "--version") == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
