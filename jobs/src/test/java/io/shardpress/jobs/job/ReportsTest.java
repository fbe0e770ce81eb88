package io.shardpress.jobs.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.run.Json;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportsTest {
  @TempDir private Path folder;

  @Test
  void printsAPlanInOneScreen() {
    TinyCheckpoint.llama(1).write(folder.resolve("m"));
    PlanReport report =
        PlanReport.of(
            TinyCheckpoint.store(),
            Recipes.read(
                folder,
                "model = %s, steps = [ { gptq { group-size = 16 } } ]"
                    .formatted(folder.resolve("m"))));

    assertThat(report.text().lines())
        .anyMatch(line -> line.matches("model +file://.*/m \\(llama, 2 blocks\\)"))
        .anyMatch(line -> line.matches(" +2 x model.layers.\\*.mlp.down_proj +32 x 48 +gptq .*"))
        .anyMatch(line -> line.matches(" +lm_head +left alone: 'lm_head' is ignored"))
        .contains("layers    14 to compress, 7 tensors copied")
        .anyMatch(line -> line.matches("memory +.* per process: .* for tasks, .* of heap, .*"))
        .anyMatch(line -> line.matches(" +Calibrating block 0 +.* of heap; \\d+ at a time, .*"));
    assertThat(report.memory().refusal()).isEmpty();
    assertThat(report.layers()).hasSize(14);
    assertThat(Json.text(report))
        .contains("\"planned_bytes\"", "\"peak_task_bytes\"", "\"shared_bytes\"");
  }

  @Test
  void printsAnEvaluationForPeopleAndScripts() {
    Evaluation.Divergence divergence =
        new Evaluation.Divergence(7, 0.0123, 0.01, 0.1, 0.2, 0.3, 0.95, 0, 0.1);
    EvaluationReport report =
        new EvaluationReport("/m", new Evaluation(7.5, 0.25, 90, 3, 31, Optional.of(divergence)));

    assertThat(report.text().lines())
        .containsExactly(
            "perplexity 7.5000 ± 0.2500 over 90 tokens (3 windows of 31)",
            "dense      7.0000",
            "KL         0.01230 nats/token (median 0.010, 99 % 0.10, 99.9 % 0.20, maximum 0.30)",
            "top-1      95.00 % of tokens agree");
    assertThat(report.json().keySet())
        .containsExactly("model", "perplexity", "tokens", "kl", "top1", "details");
  }

  @Test
  void leavesOutTheReferenceWhereThereIsNone() {
    EvaluationReport report =
        new EvaluationReport("/m", new Evaluation(7.5, 0, 90, 3, 31, Optional.empty()));
    assertThat(report.text()).doesNotContain("KL").hasLineCount(1);
    assertThat(report.json()).doesNotContainKeys("kl", "top1");
  }
}
