package io.shardpress.integration;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.job.CompressJob;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.recipe.RecipeReader;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Compresses every model of a folder with RTN and GPTQ at 4, 3 and 2 bits, one-pass and sequential,
 * prunes it in several ways, and writes the perplexities and divergences as a Markdown table.
 *
 * <p>Each model's {@code reference.json} says how it is evaluated.
 */
public final class QualityTable {
  private static final List<String> METHODS =
      List.of(
          "rtn absmax",
          "rtn",
          "gptq absmax sequential",
          "gptq sequential f32",
          "gptq sequential",
          "gptq one-pass f32",
          "gptq one-pass");

  private static final String HEAD =
      """
      # Quality

      Perplexity, KL divergence to the dense model (nats per token) and top-1 agreement of compressed checkpoints, read \
      back from disk. 64 calibration sequences, never from the evaluation text. `absmax` ranges are not clipped; RTN's \
      default searches the clipping range, GPTQ's default tries several and keeps the best row by row. `f32` calibrates in \
      F32, where the default takes BF16 for weights stored so (llama2xs is stored in F32). `gap closed` is \
      GPTQ's share of the way from RTN (absmax) to dense in perplexity. Pruned models are calibrated one-pass unless \
      the row says otherwise; `gap closed` is the share of the way from magnitude to dense. Made by

      ```
      mvn -Pquick,quality verify -DskipTests -Dmodels=/path/to/models
      ```

      """;

  private final Session session;
  private final HadoopStore store;
  private final Progress progress = Progress.ofProcess(System.out);
  private final Path work;

  private QualityTable(Session session, Path work) {
    this.session = session;
    this.store = session.store();
    this.work = work;
  }

  /** Takes the folder of models, a folder for work, and the Markdown file to write. */
  public static void main(String[] arguments) throws IOException {
    try (Session session = Session.start(Map.of("spark.ui.enabled", "false"))) {
      QualityTable table = new QualityTable(session, Path.of(arguments[1]));
      StringBuilder text = new StringBuilder(HEAD);
      for (Store.Entry model : session.store().list(Location.of(arguments[0]))) {
        if (model.directory()) {
          text.append(table.section(Location.of(arguments[0]).child(model.name())));
          Files.writeString(Path.of(arguments[2]), text);
        }
      }
    }
  }

  private String section(Location model) throws IOException {
    Location file = model.child("reference.json");
    JsonNode reference = StrictJson.parseObject(file.toString(), store.readAll(file, 1 << 20));
    int group = group(model);
    double published = reference.path("perplexity").asDouble();
    StringBuilder rows = new StringBuilder();
    double dense = 0;
    for (int bits : List.of(4, 3, 2)) {
      double roundToNearest = 0;
      for (String method : METHODS) {
        Evaluation found = run(model, reference, method, bits, group);
        Evaluation.Divergence divergence = found.reference().orElseThrow();
        dense = divergence.perplexity();
        if (method.equals("rtn absmax")) {
          roundToNearest = found.perplexity();
        }
        boolean gptq = method.startsWith("gptq");
        rows.append(
            String.format(
                Locale.ROOT,
                "| %d | %s | %.4f | %.3g | %.2f %% | %s |%n",
                bits,
                method,
                found.perplexity(),
                divergence.mean(),
                100 * divergence.top1(),
                gptq
                    ? String.format(
                        Locale.ROOT,
                        "%.0f %%",
                        100 * (roundToNearest - found.perplexity()) / (roundToNearest - dense))
                    : ""));
      }
    }
    String pruning =
        PruningRows.of(group, (name, settings) -> run(model, reference, name, settings));
    return String.format(
        Locale.ROOT,
        "## %s%n%nDense perplexity %.4f (transformers: %.4f). Symmetric, group %d, everything but"
            + " `lm_head`.%n%n| bits | method | perplexity | KL to dense | top-1 | gap closed |%n|"
            + " ---: | --- | ---: | ---: | ---: | ---: |%n%s%nPruned, everything but"
            + " `lm_head`:%n%n%s%n",
        model.name(),
        dense,
        published,
        group,
        rows,
        pruning);
  }

  private Evaluation run(Location model, JsonNode reference, String method, int bits, int group)
      throws IOException {
    String algorithm = method.startsWith("rtn") ? "rtn" : "gptq";
    String clip = method.contains("absmax") ? "absmax" : algorithm.equals("rtn") ? "mse" : "best";
    return run(
        model,
        reference,
        "%s, %d bits".formatted(method, bits),
        List.of(
            "calibration.mode=" + (method.contains("sequential") ? "sequential" : "one-pass"),
            "calibration.precision=" + (method.endsWith("f32") ? "f32" : "auto"),
            "steps=[{%s{bits=%d,group-size=%d,clip=%s}}]".formatted(algorithm, bits, group, clip)));
  }

  /** Compresses a model and evaluates what was published. */
  private Evaluation run(Location model, JsonNode reference, String name, List<String> settings)
      throws IOException {
    Location output =
        Location.of(work.toAbsolutePath().toString())
            .child(model.name() + "-" + name.replaceAll("[^\\w.]+", "-"));
    store.delete(output);
    progress.say("%s: %s".formatted(model.name(), name));
    RunRecord record =
        new CompressJob(session, progress, recipe(model, reference, settings), output)
            .run()
            .orElseThrow();
    store.delete(output);
    return record.evaluation().orElseThrow();
  }

  private Recipe recipe(Location model, JsonNode reference, List<String> own) {
    int length = reference.path("length").asInt();
    String data = reference.path("data").asText();
    List<String> settings = new ArrayList<>(own);
    settings.add("model=" + model);
    settings.add("calibration.data=" + model.child(data.replace("evaluation", "calibration")));
    settings.add("calibration.sequences=64");
    settings.add("calibration.length=" + length);
    settings.add("calibration.statistics=" + Location.of(work.toAbsolutePath() + "/statistics"));
    settings.add("evaluation.data=" + model.child(data));
    settings.add("evaluation.length=" + length);
    String bos = reference.path("bos_per_window").asBoolean() ? "always" : "never";
    settings.add("calibration.bos=" + bos);
    settings.add("evaluation.bos=" + bos);
    return RecipeReader.ofAssignments(settings);
  }

  /** The largest of 128, 64 and 32 that divides the inputs of every linear. */
  private int group(Location model) {
    Checkpoint checkpoint = Checkpoint.open(store, model);
    for (int group : List.of(128, 64, 32)) {
      boolean divides =
          checkpoint.specs().values().stream()
              .filter(spec -> spec.shape().size() == 2)
              .allMatch(spec -> spec.shape().get(1) % group == 0);
      if (divides) {
        return group;
      }
    }
    throw new IllegalStateException("No group size fits " + model);
  }
}
