package io.shardpress.jobs.assemble;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.assemble.Publisher.Existing;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.recipe.RecipeReader;
import io.shardpress.jobs.report.RunLog;
import io.shardpress.jobs.resume.RunIdentity;
import io.shardpress.jobs.resume.UnfinishedRuns;
import io.shardpress.jobs.resume.UnfinishedRuns.Earlier;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Application;
import io.shardpress.jobs.spark.KernelsUsed;
import io.shardpress.jobs.spark.MemoryUsed;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.operators.encoding.CompressedTensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SparkTest
class PublisherTest {
  private final HadoopStore store = TinyCheckpoint.store();
  private final RunLog log =
      new RunLog(
          UUID.randomUUID(),
          RecipeReader.ofAssignments(List.of()),
          new Application("app-1", "localhost", 1, new KernelsUsed(), new MemoryUsed()),
          Instant.EPOCH);

  @TempDir private Path folder;
  private Path output;
  private Workspace workspace;

  @BeforeEach
  void places() {
    output = folder.resolve("out");
    workspace = Workspace.beside(at(output), UUID.randomUUID());
  }

  @Test
  void claimsAnEmptyPlaceByARecord() throws IOException {
    publisher(Existing.REFUSE).claim(log.running());

    assertThat(files()).containsExactly("run.json");
    assertThat(json("run.json").get("status").asText()).isEqualTo("running");
  }

  @Test
  void takesThePlaceOfARunThatFailed() throws IOException {
    put("run.json");
    publisher(Existing.REFUSE).claim(log.running());
    assertThat(files()).containsExactly("run.json");
    assertThat(json("run.json").get("run_id").asText()).isNotEmpty();
  }

  @Test
  void refusesAnOccupiedPlace() throws IOException {
    put("a.txt", "b.txt", "c.txt", "d.txt", "e.txt");

    assertThatThrownBy(() -> publisher(Existing.REFUSE).requireUsable(unfinished()))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("is not empty: it holds a.txt, b.txt, c.txt and 2 more.")
        .hasMessageContaining("add --overwrite");
    assertThat(files()).containsExactly("a.txt", "b.txt", "c.txt", "d.txt", "e.txt");
  }

  @Test
  void admitsWhatAnUnfinishedRunLeft() throws IOException {
    put("run.json", "model-00001-of-00002.safetensors");
    Publisher publisher = publisher(Existing.REFUSE);
    assertThatThrownBy(() -> publisher.requireUsable(unfinished()))
        .isInstanceOf(DestinationException.class);

    unfinished()
        .enter(new RunIdentity(new TreeMap<>(Map.of("a", "1"))), Earlier.RESUME, UUID.randomUUID());

    publisher.requireUsable(unfinished());
    publisher.resume(log.running());
    assertThat(files())
        .as("it will be written anew")
        .containsExactly("_staging", "model-00001-of-00002.safetensors", "run.json");
  }

  @Test
  void knowsARunThatWasOnlyKilledAsItTidiedUp() throws IOException {
    UUID run = UUID.randomUUID();
    put("model.safetensors");
    Files.writeString(output.resolve("_SUCCESS.json"), "{\"run_id\": \"%s\"}".formatted(run));
    Publisher publisher = publisher(Existing.REFUSE);

    assertThat(publisher.isCompleteBy(List.of(run))).isTrue();
    assertThat(publisher.isCompleteBy(List.of(UUID.randomUUID()))).isFalse();
    Files.writeString(output.resolve("_SUCCESS.json"), "{\"run_");
    assertThat(publisher.isCompleteBy(List.of(run))).as("torn").isFalse();
  }

  @Test
  void refusesAFileInThePlaceOfAFolder() throws IOException {
    Files.writeString(output, "a file");

    assertThatThrownBy(() -> publisher(Existing.REPLACE).requireUsable(unfinished()))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("cannot be a folder");
  }

  @Test
  void replacesNothingThatShardpressDidNotWrite() throws IOException {
    put("thesis.txt", "model.safetensors");

    assertThatThrownBy(() -> publisher(Existing.REPLACE).requireUsable(unfinished()))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("holds files that Shardpress did not write")
        .hasMessageContaining("--overwrite leaves it alone");
    assertThat(files()).containsExactly("model.safetensors", "thesis.txt");
  }

  @Test
  void removesTheRemainsOfAKilledRunAtOnce() throws IOException {
    put("run.json", "model-00001-of-00002.safetensors");

    publisher(Existing.REPLACE).claim(log.running());

    assertThat(files()).containsExactly("run.json");
  }

  @Test
  void keepsACompleteCheckpointUntilThereIsABetterOne() throws IOException {
    put("run.json", "model.safetensors", "_staging/old/x");
    complete();
    Publisher publisher = publisher(Existing.REPLACE);
    publisher.claim(log.running());
    assertThat(files()).contains("_SUCCESS.json", "model.safetensors");
    assertThat(Files.readString(output.resolve("run.json"))).isEqualTo("run.json");

    publisher.makeRoom(log.running(), workspace, List.of(), source());

    assertThat(files()).doesNotContain("_SUCCESS.json", "model.safetensors");
    assertThat(json("run.json").get("status").asText()).isEqualTo("running");
    assertThat(files()).as("the work is kept").contains("_staging");
  }

  @Test
  void leavesACompleteCheckpointAloneWhenTheRunFailsEarly() throws IOException {
    put("run.json", "model.safetensors");
    complete();
    Publisher publisher = publisher(Existing.REPLACE);
    publisher.claim(log.running());

    publisher.withdraw(log.failed("no"), new InputException("no"));
    store.delete(at(output).child(Workspace.STAGING));

    assertThat(files()).containsExactly("_SUCCESS.json", "model.safetensors", "run.json");
    assertThat(Files.readString(output.resolve("run.json"))).isEqualTo("run.json");
  }

  @Test
  void writesASingleFileAndDeclaresItCompleteLast(SparkSession spark) throws IOException {
    Checkpoint source = source();
    Publisher publisher = publisher(Existing.REFUSE);
    publisher.claim(log.running());
    publisher.writeShards(shards(source, Long.MAX_VALUE), workspace, tasks(spark), progress());
    publisher.writeCompanions(source, source.config().json());
    assertThat(store.list(workspace.shards())).as("all were moved").isEmpty();
    assertThat(files())
        .containsExactly(
            "_staging", "config.json", "generation_config.json", "model.safetensors", "run.json");

    publisher.writeCosts(log.costs());
    publisher.commit(log.complete(publisher.files()));

    assertThat(files()).contains("_SUCCESS.json").doesNotContain("model.safetensors.index.json");
    assertThat(json("run.json").get("status").asText()).isEqualTo("complete");
    JsonNode success = json("_SUCCESS.json");
    assertThat(success.get("format").asText()).isEqualTo("shardpress-run/1");
    Map<String, String> recorded =
        Stream.iterate(0, i -> i < success.get("files").size(), i -> i + 1)
            .map(i -> success.get("files").get(i))
            .collect(
                Collectors.toMap(
                    file -> file.get("name").asText(), file -> file.get("sha256").asText()));
    assertThat(recorded)
        .containsOnlyKeys(
            "config.json", "generation_config.json", "model.safetensors", "tasks.json", "run.json");
    assertThat(json("tasks.json").get("run_id")).isEqualTo(json("run.json").get("run_id"));
    for (Map.Entry<String, String> file : recorded.entrySet()) {
      assertThat(Sha256.of(Files.readAllBytes(output.resolve(file.getKey()))))
          .as(file.getKey())
          .isEqualTo(file.getValue());
    }
  }

  @Test
  void writesSeveralFilesThatReadAsTheSource(SparkSession spark) throws IOException {
    Checkpoint source = source();
    Publisher publisher = publisher(Existing.REFUSE);
    publisher.claim(log.running());
    List<OutputShard> shards = shards(source, 20_000);
    publisher.writeShards(shards, workspace, tasks(spark), progress());
    publisher.writeCompanions(source, source.config().json());

    assertThat(shards).hasSizeGreaterThan(2);
    JsonNode index = json("model.safetensors.index.json");
    assertThat(index.get("metadata").get("total_size").asLong())
        .isEqualTo(source.specs().values().stream().mapToLong(spec -> spec.bytes()).sum());
    Checkpoint published = Checkpoint.open(store, at(output));
    assertThat(published.names()).isEqualTo(source.names());
    for (String name : source.names()) {
      assertThat(published.tensor(name).data()).as(name).isEqualTo(source.tensor(name).data());
    }
  }

  @Test
  void takesBackEverythingAfterAFailure(SparkSession spark) throws IOException {
    Checkpoint source = source();
    Publisher publisher = publisher(Existing.REFUSE);
    publisher.claim(log.running());
    publisher.writeShards(shards(source, 20_000), workspace, tasks(spark), progress());
    publisher.writeCompanions(source, source.config().json());
    publisher.writeCosts(log.costs());
    publisher.commit(log.complete(publisher.files()));

    publisher.withdraw(log.failed("the disk is full"), new InputException("x"));

    store.delete(workspace.root());
    store.delete(at(output).child(Workspace.STAGING));
    assertThat(files()).containsExactly("run.json");
    assertThat(json("run.json").get("status").asText()).isEqualTo("failed");
    assertThat(json("run.json").get("error").asText()).isEqualTo("the disk is full");
  }

  @Test
  void takesBackFilesOfAJobThatFailedOnTheWay(SparkSession spark) throws IOException {
    Checkpoint source = source();
    Publisher publisher = publisher(Existing.REFUSE);
    publisher.claim(log.running());
    List<OutputShard> shards = shards(source, 20_000);
    OutputTensor first = shards.get(shards.size() - 1).tensors().get(0);
    List<OutputShard> broken =
        Stream.concat(
                shards.subList(0, shards.size() - 1).stream(),
                Stream.of(
                    new OutputShard(
                        shards.get(shards.size() - 1).fileName(),
                        List.of(
                            OutputTensor.whole(first.spec(), at(folder.resolve("no-such-file")))))))
            .toList();

    assertThatThrownBy(() -> publisher.writeShards(broken, workspace, tasks(spark), progress()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no-such-file");
    publisher.withdraw(log.failed("x"), new InputException("x"));

    assertThat(files()).containsExactly("_staging", "run.json");
  }

  @Test
  void refusesATensorThatChangedSinceThePlan(SparkSession spark) {
    Checkpoint source = source();
    String name = "model.norm.weight";
    OutputTensor planned =
        OutputTensor.whole(TensorSpec.of(name, DType.F32, 31), source.shardOf(name).location());

    assertThatThrownBy(
            () ->
                publisher(Existing.REFUSE)
                    .writeShards(
                        List.of(new OutputShard("model.safetensors", List.of(planned))),
                        workspace,
                        tasks(spark),
                        progress()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(name + " is F32 [32], but was F32 [31] when the run began.");
  }

  @Test
  void reportsTheRunsOwnFailureWhenTakingBackFailsToo() throws IOException {
    Publisher publisher = publisher(Existing.REFUSE);
    publisher.claim(log.running());
    Files.delete(output.resolve("run.json"));
    Files.createDirectory(output.resolve("run.json"));
    InputException cause = new InputException("the run's own");

    publisher.withdraw(log.failed("x"), cause);

    assertThat(cause.getSuppressed()).hasSize(1);
    assertThat(cause.getSuppressed()[0]).isInstanceOf(DestinationException.class);
  }

  private Checkpoint source() {
    return TinyCheckpoint.llama(1).write(folder.resolve("source")).openWhole().checkpoint();
  }

  private List<OutputShard> shards(Checkpoint source, long maxBytes) {
    return OutputShard.plan(
        new OutputTensors(workspace, new CompressedTensors()).of(source, List.of(), List.of()),
        maxBytes);
  }

  private UnfinishedRuns unfinished() {
    return new UnfinishedRuns(store, at(output));
  }

  /** Marks the checkpoint as complete. */
  private void complete() throws IOException {
    Files.writeString(
        output.resolve("_SUCCESS.json"), "{\"run_id\": \"%s\"}".formatted(UUID.randomUUID()));
  }

  private Publisher publisher(Existing existing) {
    return new Publisher(store, at(output), existing);
  }

  private static Tasks tasks(SparkSession spark) {
    return new Tasks(JavaSparkContext.fromSparkContext(spark.sparkContext()));
  }

  private static Progress progress() {
    return new Progress(
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        Progress.Screen.LOG,
        Clock.systemUTC());
  }

  /** Files whose content is their name. */
  private void put(String... names) throws IOException {
    for (String name : names) {
      Files.createDirectories(output.resolve(name).getParent());
      Files.writeString(output.resolve(name), name);
    }
  }

  private JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(output.resolve(name).toFile());
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(output)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static Location at(Path path) {
    return Location.of(path.toString());
  }
}
