package io.shardpress.integration.stores;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.integration.Cli;
import io.shardpress.integration.faults.TinyRun;
import io.shardpress.integration.faults.TinyRun.Way;
import io.shardpress.jobs.job.Doctor;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.recipe.RecipeReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Model, data and output on S3, through S3A, with an endpoint in this process. */
class S3Test {
  private static final long SEED = 1;
  private static final String BUCKET = "s3a://bucket";

  private static S3Endpoint endpoint;

  @TempDir private Path folder;
  private HadoopStore store;
  private TinyRun run;

  /** One for all: Hadoop keeps its file systems by bucket, not by endpoint. */
  @BeforeAll
  static void start() throws IOException {
    endpoint = new S3Endpoint();
  }

  @AfterAll
  static void stop() throws IOException {
    endpoint.close();
  }

  @BeforeEach
  void prepare() {
    endpoint.inject(S3Faults.NONE);
    endpoint.objects().clear();
    Configuration configuration = new Configuration();
    endpoint.settings().forEach(configuration::set);
    store = HadoopStore.of(configuration);
    run = TinyRun.in(store, folder, Location.of(BUCKET + folder), SEED);
  }

  @Test
  void a_run_publishes_there_what_it_publishes_locally() {
    String recipe = recipe(Way.SEQUENTIAL);
    Cli.run("compress", recipe).succeeded();

    Cli.run("verify", recipe).succeeded();
    assertThat(
            Cli.run("evaluate", recipe, "--reference", BUCKET + folder + "/model")
                .succeeded()
                .out())
        .contains("perplexity");
    assertThat(published()).isEqualTo(locally(Way.SEQUENTIAL));
    assertThat(endpoint.failed()).isEmpty();
  }

  @Test
  void an_archive_there_gives_back_what_was_published() {
    Cli.run("compress", recipe(Way.RTN)).succeeded();
    endpoint.inject(S3Faults.oneInTen(S3Faults.Kind.BROKEN, SEED));
    String output = BUCKET + run.output();
    archiving("archive", output, BUCKET + folder + "/archive");
    archiving("restore", BUCKET + folder + "/archive", BUCKET + folder + "/back");
    endpoint.inject(S3Faults.NONE);

    Map<String, String> back =
        Stores.published(store, Location.of(BUCKET + folder + "/back"), folder.resolve("restored"));
    assertThat(back).isEqualTo(published());
    assertThat(endpoint.objects().openUploads()).isZero();
  }

  private void archiving(String command, String from, String to) {
    List<String> words = new ArrayList<>(List.of(command, from, to));
    endpoint
        .settings()
        .forEach(
            (key, value) ->
                words.addAll(List.of("--set", "spark.hadoop.%s=\"%s\"".formatted(key, value))));
    Cli.run(words.toArray(String[]::new)).succeeded();
  }

  @ParameterizedTest
  @EnumSource(names = {"BUSY", "BROKEN", "RESET", "LOST", "SHORT"})
  void one_request_in_ten_may_fail(S3Faults.Kind kind) {
    survives(Way.RTN, S3Faults.oneInTen(kind, SEED));
  }

  @Test
  void five_requests_in_a_row_may_fail() {
    survives(Way.ONE_PASS, S3Faults.bursts(S3Faults.Kind.BUSY));
  }

  @Test
  void an_answer_may_stall() {
    survives(Way.RTN, S3Faults.on(S3Faults.Kind.STALLED, "GET", "/model/.*safetensors$", 2));
  }

  /** The run publishes what it publishes when nothing fails, though requests did. */
  private void survives(Way way, S3Faults faults) {
    endpoint.inject(faults);
    Cli.run("compress", recipe(way)).succeeded();
    List<String> failed = endpoint.failed();
    endpoint.inject(S3Faults.NONE);

    System.out.printf("%d requests failed%n", failed.size());
    assertThat(failed).isNotEmpty();
    assertThat(published()).isEqualTo(locally(way));
    assertThat(endpoint.objects().openUploads()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "DENIED, GET, model/config.json, 3, permission denied",
    "DENIED, PUT, output/, 5, AccessDenied",
    "MISSING, GET, model/model-00002-of-00003.safetensors, 2, There is no"
  })
  void what_lasts_ends_the_run_at_once(
      S3Faults.Kind kind, String method, String path, int code, String part) {
    endpoint.inject(S3Faults.on(kind, method, path, Integer.MAX_VALUE));

    assertTimeout(
        Duration.ofSeconds(30),
        () -> Cli.run("compress", recipe(Way.RTN)).refused(code, path, part));
  }

  @Test
  void of_two_writers_one_creates_the_file() {
    Race.createdByOne(store, Location.of(BUCKET + folder));

    assertThat(endpoint.objects().conditional()).as("requests with If-None-Match").isPositive();
  }

  @Test
  void the_doctor_says_whether_it_is_so_there() {
    assertThat(doctor()).anyMatch(line -> line.matches("ok +creation +.*one wins"));

    endpoint.objects().ignoreConditions();
    assertThat(doctor()).anyMatch(line -> line.matches("warn +creation +.*If-None-Match.*"));
    assertThat(endpoint.objects().names()).noneMatch(name -> name.contains("probe"));
  }

  private List<String> doctor() {
    Recipe recipe = RecipeReader.read(store, Location.of(recipe(Way.RTN)), List.of());
    return Doctor.examine(store, recipe).stream().map(Doctor.Finding::text).toList();
  }

  @Test
  void a_large_file_comes_in_parts_and_whole() throws IOException {
    byte[] bytes = new byte[12_000_001];
    new SplittableRandom(SEED).nextBytes(bytes);
    Location file = Location.of(BUCKET + folder + "/large");
    endpoint.inject(S3Faults.on(S3Faults.Kind.BUSY, "PUT", "/large$", 2));
    try (OutputStream out = store.create(file)) {
      out.write(bytes);
    }

    assertThat(endpoint.failed()).hasSize(2);
    assertThat(endpoint.objects().inParts()).containsExactly("/bucket" + folder + "/large");
    assertThat(endpoint.objects().openUploads()).isZero();
    assertThat(store.readAll(file, bytes.length)).isEqualTo(bytes);
    assertThatThrownBy(() -> store.create(file).close())
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("exists already");
  }

  private String recipe(Way way) {
    String settings =
        endpoint.settings().entrySet().stream()
            .map(entry -> "hadoop.%s = \"%s\"".formatted(entry.getKey(), entry.getValue()))
            .collect(Collectors.joining("\n", "spark {\n", "\n}\n"));
    return run.recipe(way, settings, path -> BUCKET + path);
  }

  private Map<String, String> published() {
    return Stores.published(store, Location.of(BUCKET + run.output()), folder.resolve("copy"));
  }

  private Map<String, String> locally(Way way) {
    return Stores.locally(folder.resolve("local"), way, SEED);
  }
}
