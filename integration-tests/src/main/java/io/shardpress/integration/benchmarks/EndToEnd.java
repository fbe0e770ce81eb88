package io.shardpress.integration.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.integration.models.LlamaShape;
import io.shardpress.integration.models.RandomLlama;
import io.shardpress.operators.model.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;

/**
 * Compresses a Llama of random weights from files to files, each run a process of its own that the
 * launcher starts: GPTQ to 4 bits, groups of 128, 32 sequences of 512 tokens.
 */
final class EndToEnd {
  static final String INTRODUCTION =
      """
      A Llama of random weights (hidden 2048, network 5632, 4 blocks, vocabulary 8192) and 32 sequences of 512 tokens, \
      from files to files: GPTQ to 4 bits in groups of 128, all linears but `lm_head`. Wall seconds of whole processes.

      """;

  private static final int SEQUENCES = 32;
  private static final int LENGTH = 512;

  private final Store store = HadoopStore.of(new Configuration());
  private final Path home;
  private final Path work;

  /**
   * What varies.
   *
   * @param mode {@code calibration.mode}
   */
  record Setting(String mode, String clip) {}

  /**
   * One process.
   *
   * @param seconds from its start to its end
   * @param stages seconds per stage, from {@code run.json}
   */
  record Run(double seconds, Map<String, Double> stages) {}

  /**
   * The same on one core and on all.
   *
   * @param yardstick FLOP/s of F32 products on all cores just before
   */
  record Round(Run one, Run all, double yardstick) {}

  /**
   * @param home the repository
   * @param work a folder for the model and the outputs
   */
  EndToEnd(Path home, Path work) {
    this.home = home;
    this.work = work;
  }

  /** Runs everything {@code rounds} times and returns a Markdown table. */
  String table(int rounds) {
    RandomLlama llama = new RandomLlama(LlamaShape.benchmark(), 1);
    Location folder = Location.of(work.toString());
    store.delete(folder);
    llama.write(store, folder.child("model"));
    llama.writeTokens(store, folder.child("tokens.jsonl"), SEQUENCES, LENGTH);
    exitCode(List.of(launcher(), "--version")); // it builds and prepares what is not there yet
    Map<Setting, List<Round>> measured = new LinkedHashMap<>();
    try (Cores cores = new Cores();
        Yardstick yardstick = new Yardstick(Precision.F32, cores)) {
      for (int round = 0; round < rounds; round++) {
        for (String mode : List.of("sequential", "one-pass")) {
          for (String clip : List.of("absmax", "best")) {
            Setting setting = new Setting(mode, clip);
            double rate = yardstick.allCores();
            Round found = new Round(run(setting, 1), run(setting, Cores.count()), rate);
            measured.computeIfAbsent(setting, key -> new ArrayList<>()).add(found);
          }
        }
      }
    }
    store.delete(folder);
    return render(measured);
  }

  private String launcher() {
    return home.resolve("shardpress").toString();
  }

  private Run run(Setting setting, int cores) {
    Location output = Location.of(work.resolve("output").toString());
    store.delete(output);
    List<String> command =
        List.of(
            launcher(),
            "compress",
            recipe(setting, cores).toString(),
            "--output",
            output.toString());
    System.out.printf("end to end: %s on %d cores%n", setting, cores);
    long start = System.nanoTime();
    int code = exitCode(command);
    double seconds = (System.nanoTime() - start) / 1e9;
    if (code != 0) {
      throw new IllegalStateException("%s ended with %d".formatted(command, code));
    }
    Location file = output.child("run.json");
    JsonNode record = StrictJson.parseObject(file.toString(), store.readAll(file, 64 << 20));
    Map<String, Double> stages = new LinkedHashMap<>();
    record
        .path("seconds")
        .properties()
        .forEach(stage -> stages.put(stage.getKey(), stage.getValue().asDouble()));
    System.out.printf("%.1f s, %s%n", seconds, stages);
    return new Run(seconds, stages);
  }

  private Path recipe(Setting setting, int cores) {
    String text =
        """
        model = "%s"
        calibration { data = "%s", sequences = %d, length = %d, mode = %s }
        steps = [ { gptq { scheme = W4A16, ignore = ["lm_head"], clip = %s } } ]
        spark { master = "local[%d]", ui.enabled = false }
        """
            .formatted(
                work.resolve("model"),
                work.resolve("tokens.jsonl"),
                SEQUENCES,
                LENGTH,
                setting.mode(),
                setting.clip(),
                cores);
    try {
      return Files.writeString(work.resolve("recipe.conf"), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int exitCode(List<String> command) {
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException("Interrupted while a run was under way", e);
    }
  }

  static String render(Map<Setting, List<Round>> measured) {
    StringBuilder text =
        new StringBuilder(
            """
            | mode | clip | one core | all cores | gain | yardstick | stages on all cores |
            | --- | --- | ---: | ---: | ---: | ---: | --- |
            """);
    measured.forEach(
        (setting, rounds) ->
            text.append(
                "| %s | %s | %s | %s | %s | F32 %s | %s |%n"
                    .formatted(
                        setting.mode(),
                        setting.clip(),
                        Table.seconds(median(rounds, round -> round.one().seconds())),
                        Table.seconds(median(rounds, round -> round.all().seconds())),
                        Table.factor(
                            median(rounds, round -> round.one().seconds() / round.all().seconds())),
                        Table.giga(median(rounds, Round::yardstick), "FLOP/s"),
                        stages(rounds))));
    return text.toString();
  }

  private static String stages(List<Round> rounds) {
    return rounds.get(0).all().stages().keySet().stream()
        .map(
            stage ->
                stage
                    + " "
                    + Table.seconds(
                        median(rounds, round -> round.all().stages().getOrDefault(stage, 0.0))))
        .collect(Collectors.joining(", "));
  }

  private static double median(List<Round> rounds, ToDoubleFunction<Round> value) {
    return Measurement.median(rounds.stream().mapToDouble(value).toArray());
  }
}
