package io.shardpress.jobs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.jobs.cli.Launcher.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs in processes of their own: inside one, through spark-submit, and on two executors. */
@Tag("dist")
class SubmitTest {
  private static final String RECIPE = Launcher.HOME.resolve("conf/quickstart.conf").toString();

  @TempDir private static Path directory;

  @BeforeEach
  void requireApplicationJar() throws IOException {
    Launcher.requireApplicationJar();
  }

  @Test
  void executors_publish_the_bytes_that_one_process_publishes() throws Exception {
    Ended embedded = compress("embedded");
    assertThat(embedded.exitCode()).as(embedded.output()).isZero();

    Ended submitted =
        compress("submitted", "--", "--master", "local-cluster[2,1,1024]", "--driver-memory=512m");
    assertThat(submitted.exitCode()).as(submitted.output()).isZero();

    assertThat(publishedHashes("submitted"))
        .containsKeys("model.safetensors", "config.json", "tokenizer.json")
        .isEqualTo(publishedHashes("embedded"));
    JsonNode kernels = new ObjectMapper().readTree(runRecord("submitted")).path("kernels");
    assertThat(kernels.path("wanted").asText()).isEqualTo("auto");
    assertThat(kernels.path("threads_per_task").asInt()).isEqualTo(1);
    assertThat(kernels.path("hosts")).as("driver and executors compute alike").hasSize(1);
    JsonNode memory = new ObjectMapper().readTree(runRecord("submitted")).path("memory");
    assertThat(memory.fieldNames()).toIterable().contains("driver", "0", "1");
    for (String executor : List.of("0", "1")) {
      double planned = memory.path(executor).path("planned_bytes").asDouble();
      assertThat(memory.path(executor).path("peak_resident_bytes").asDouble() / planned)
          .as("resident over planned: " + memory)
          .isBetween(0.8, 1.15);
    }
  }

  @Test
  void executors_compute_with_the_kernels_of_the_recipe_or_not_at_all() throws Exception {
    Ended ended =
        compress(
            "openblas",
            "--set",
            "run.kernels=openblas",
            "--",
            "--master",
            "local-cluster[1,1,1024]",
            "--driver-memory=512m");

    assertThat(ended.exitCode()).as(ended.output()).isZero();
    JsonNode kernels = new ObjectMapper().readTree(runRecord("openblas")).path("kernels");
    assertThat(kernels.path("wanted").asText()).isEqualTo("openblas");
    assertThat(kernels.path("hosts").fieldNames().next()).startsWith("OpenBLAS");
    assertThat(kernels.path("hosts")).hasSize(1);
  }

  @Test
  void executors_that_are_too_small_are_refused_before_any_work() throws Exception {
    Ended ended =
        compress(
            "small",
            "--",
            "--master",
            "local-cluster[1,1,1024]",
            "--driver-memory=512m",
            "--conf",
            "spark.executor.memoryOverhead=384m");

    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(3);
    assertThat(ended.output())
        .containsPattern(
            "shardpress: .* needs \\d+ MiB beside the heap, and an executor has 0 MiB: ")
        .contains("Give executors more: spark.executor.memoryOverhead=1g.");
  }

  private static String runRecord(String output) throws IOException {
    return Files.readString(directory.resolve(output).resolve("run.json"));
  }

  @Test
  void the_exit_code_of_a_failure_survives_spark_submit() throws Exception {
    Ended ended =
        Launcher.run(
            directory,
            List.of("plan", RECIPE, "--set", "model=/no/model", "--", "--master", "local[1]"));

    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(2);
    assertThat(ended.output()).contains("There is no checkpoint in file:///no/model");
  }

  @Test
  void where_a_cluster_runs_the_driver_a_failure_is_an_exception() throws Exception {
    Ended ended =
        Launcher.run(
            directory,
            List.of("plan", RECIPE, "--set", "model=/no/model"),
            "-Dspark.submit.deployMode=cluster");

    assertThat(ended.output())
        .contains("There is no checkpoint in file:///no/model")
        .contains("Exception in thread \"main\"")
        .contains("shardpress ended with exit code 2");
  }

  @Test
  void a_master_that_does_not_exist_is_a_fault_of_the_environment() throws Exception {
    Ended ended =
        Launcher.run(
            directory, List.of("verify", "--output", "anywhere", "--set", "spark.master=nonsense"));

    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(3);
    assertThat(ended.output()).contains("Spark with the master nonsense did not start");
  }

  private static Ended compress(String output, String... submitOptions) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("compress", RECIPE, "--output", output));
    for (String assignment :
        List.of("calibration.sequences=4", "calibration.length=64", "evaluation.data=[]")) {
      arguments.addAll(List.of("--set", assignment));
    }
    arguments.addAll(Arrays.asList(submitOptions));
    return Launcher.run(directory, arguments);
  }

  /** All but the records of the run, which tell times and ids. */
  private static Map<String, String> publishedHashes(String output) throws IOException {
    Map<String, String> hashes = new TreeMap<>();
    try (Stream<Path> files = Files.list(directory.resolve(output))) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (!Set.of("run.json", "tasks.json", "_SUCCESS.json").contains(name)) {
          hashes.put(name, io.shardpress.jobs.storage.Sha256.of(Files.readAllBytes(file)));
        }
      }
    }
    return hashes;
  }
}
