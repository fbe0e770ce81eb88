package io.shardpress.jobs.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.UsageException;
import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplanationTest {
  private static final String GPTQ = "steps = [ { gptq { group-size = 16 } } ]";

  @TempDir private Path folder;
  private int models;

  @Test
  void saysWhatOneStepDoesAndWhy() {
    Explanation explanation = explain(TinyCheckpoint.llama(DType.BF16, 1), GPTQ);

    assertThat(said(explanation, "q_proj"))
        .containsExactly(
            "steps.0 gptq: weights are rounded column by column, and the columns to come make up"
                + " for each error: 4 bits, one scale per 16 inputs of a row; every row keeps the"
                + " best of 4 ranges. Needs the Gram of the input that q_proj, k_proj and v_proj"
                + " share. Why: target 'Linear'.",
            "packed codes, 4 bit, group 16");
    assertThat(said(explanation, "o_proj").get(0)).contains("Needs the Gram of its input.");
    assertThat(said(explanation, "lm_head"))
        .containsExactly("steps.0 gptq: leaves it alone: 'lm_head' is ignored", "as it is, BF16");
    assertThat(explanation.shown()).isEqualTo(15);
  }

  @Test
  void fitsAScreen() {
    String text = explain(TinyCheckpoint.llama(DType.BF16, 2), GPTQ).text();

    assertThat(text.lines().toList()).hasSizeLessThan(35).allMatch(line -> line.length() <= 110);
    assertThat(text.lines())
        .anyMatch(line -> line.matches("model +file://.*/m0 \\(llama, 2 blocks\\)"))
        .anyMatch(
            line ->
                line.matches(
                    " +2 x model.layers.\\{0-1}.mlp.down_proj +32 x 48 +6.1 kB -> .* together"))
        .anyMatch(line -> line.matches(" +1 x lm_head +64 x 32 +4.1 kB"))
        .contains("linears     15 of 15 shown");
  }

  @Test
  void namesTheOverrideThatDecided() {
    Explanation explanation =
        explain(
            TinyCheckpoint.llama(3),
            "steps = [ { rtn { group-size = 16, overrides = [ { targets = nothing, bits = 2 },"
                + " { targets = \"*.down_proj\", bits = 8, symmetric = false } ] } } ]");

    assertThat(said(explanation, "down_proj"))
        .containsExactly(
            "steps.0 rtn: every weight is rounded to the nearest value of its grid: 8 bits with"
                + " zero points, one scale per 16 inputs of a row; ranges reach to the largest"
                + " weight. Needs no data. Why: target 'Linear', override 1 for '*.down_proj'.",
            "packed codes, 8 bit asymmetric, group 16");
    assertThat(said(explanation, "up_proj").get(0)).contains("4 bits, ", "Why: target 'Linear'.");
    assertThat(explanation.statistics()).isEqualTo("none are needed");
  }

  @Test
  void keepsApartBlocksThatAreTreatedDifferently() {
    Explanation explanation =
        explain(
            TinyCheckpoint.llama(4),
            "steps = [ { rtn { group-size = 16, ignore = \"re:.*layers.0.*\" } } ]");

    assertThat(names(explanation))
        .contains("model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj");
    assertThat(said(explanation, "layers.0.mlp.up_proj").get(0))
        .isEqualTo("steps.0 rtn: leaves it alone: 're:.*layers.0.*' is ignored");
  }

  @Test
  void tellsStepsThatStartFromWhatOthersLeft() {
    Explanation explanation =
        explain(
            TinyCheckpoint.llama(5),
            """
            calibration.mode = sequential
            steps = [
              { magnitude { pattern = "2:4", targets = "*.down_proj" } }
              { gptq { group-size = 16 } }
              { refit { targets = "*.down_proj" } }
            ]
            """);

    List<String> down = said(explanation, "down_proj");
    assertThat(down.get(0))
        .isEqualTo(
            "steps.0 magnitude: of every 4 neighbouring inputs of a row 2 stay and 2 become zero,"
                + " the smallest ones. Needs no data. Why: target '*.down_proj'.");
    assertThat(down.get(1))
        .startsWith("steps.1 gptq: from what steps.0 left, whose zeros stay: weights are rounded");
    assertThat(down.get(2))
        .startsWith("steps.2 refit: from what steps.1 left, whose zeros stay: codes move to");
    assertThat(down.get(3)).isEqualTo("packed codes, 4 bit, group 16");
    assertThat(said(explanation, "up_proj"))
        .startsWith("steps.0 magnitude: leaves it alone: no target matches")
        .contains("steps.2 refit: leaves it alone: no target matches");
    assertThat(explanation.statistics())
        .startsWith("sequential: inputs come through the blocks before as they are compressed")
        .doesNotContain("budget");
  }

  @Test
  void saysThatAMaskIsRefittedAndStoredDense() {
    Explanation explanation =
        explain(TinyCheckpoint.llama(6), "steps = [ { wanda { sparsity = 0.6 } }, { refit {} } ]");

    assertThat(said(explanation, "v_proj"))
        .containsExactly(
            "steps.0 wanda: 60.0 % of the weights of every row become zero, those with the"
                + " smallest product of weight and norm of the input. Needs moments of the input"
                + " that q_proj, k_proj and v_proj share. Why: target 'Linear'.",
            "steps.1 refit: from what steps.0 left, whose zeros stay: the weights that are not zero"
                + " are solved for anew, so that the outputs come nearer to the dense weight's, in"
                + " up to 30 steps. Needs the Gram of the input that q_proj, k_proj and v_proj"
                + " share. Why: target 'Linear'.",
            "dense F32, zeros like any number");
  }

  @Test
  void saysThatABudgetIsSharedOutLater() {
    Explanation explanation =
        explain(
            TinyCheckpoint.llama(7),
            """
            calibration.mode = sequential
            steps = [ { sparsegpt { sparsity = 0.5, budget = owl, bits = 4, group-size = 16 } } ]
            """);

    assertThat(said(explanation, "o_proj").get(0))
        .startsWith(
            "steps.0 sparsegpt: half of the weights of every block of 128 columns become zero,"
                + " those that cost least, and the others make up for them; that is the average"
                + " over all linears with these settings: blocks with more outliers keep more, and"
                + " the shares are known after calibration; what stays is rounded in the same"
                + " sweep: 4 bits, one scale per 16 inputs of a row; ranges are cut where");
    assertThat(explanation.statistics())
        .endsWith("; the shares of a budget come from the dense model");
  }

  @Test
  void explainsExpertsTogetherAndRouters() {
    Explanation explanation = explain(TinyCheckpoint.mixtral(8), GPTQ);

    assertThat(names(explanation)).contains("model.layers.{0-1}.block_sparse_moe.experts.{0-3}.w2");
    assertThat(said(explanation, "w1").get(0)).contains("the Gram of the input that w1 and w3");
    assertThat(said(explanation, "block_sparse_moe.gate"))
        .containsExactly("all steps: leave it alone: routers stay as they are", "as it is, F32");
  }

  @Test
  void explainsAnUnknownFamilyThatIsRounded() {
    Explanation explanation =
        explain(TinyCheckpoint.unknown(9), "steps = [ { rtn { group-size = 16 } } ]");

    assertThat(explanation.family()).isEqualTo("unknown");
    assertThat(names(explanation)).containsExactlyInAnyOrder("encoder.0.first", "encoder.0.second");
    assertThat(explanation.text()).contains("note        Unknown family 'mystery'");
    assertThatThrownBy(() -> explain(TinyCheckpoint.unknown(10), GPTQ))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("The family 'mystery' is not one that Shardpress can run");
  }

  @Test
  void tellsThatDenseOutputHoldsTheValuesOfCodes() {
    Explanation explanation = explain(TinyCheckpoint.llama(11), "output.format = dense, " + GPTQ);

    assertThat(said(explanation, "o_proj"))
        .contains("dense F32, the values that its codes stand for (4 bit, group 16)");
    assertThat(explanation.groups())
        .flatExtracting(Explanation.Group::linears)
        .allMatch(linear -> linear.sourceBytes() == linear.plannedBytes());
  }

  @Test
  void showsOnlyWhatWasAskedFor() {
    Explanation explanation =
        explain(TinyCheckpoint.llama(12), GPTQ, "*.1.*.q_proj", "model.layers.0.mlp.up_proj");

    assertThat(names(explanation))
        .containsExactly("model.layers.0.mlp.up_proj", "model.layers.1.self_attn.q_proj");
    assertThat(explanation.text()).contains("linears     2 of 15 shown");
    assertThat(said(explanation, "q_proj").get(0))
        .as("sharers that are not shown")
        .contains("q_proj, k_proj and v_proj share");
  }

  @Test
  void refusesAPatternThatMatchesNothing() {
    assertThatThrownBy(() -> explain(TinyCheckpoint.llama(13), GPTQ, "*.dwon_proj"))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            "--module '*.dwon_proj' matches no linear of this model. Did you mean '*.down_proj'?"
                + " Its linears: *.down_proj, *.gate_proj, *.k_proj, *.o_proj, *.q_proj,"
                + " *.up_proj, *.v_proj, lm_head.");
    assertThatThrownBy(
            () -> explain(TinyCheckpoint.llama(13), GPTQ, "*", "model.layers.1.mlp.upproj"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("Did you mean 'model.layers.1.mlp.up_proj'?");
  }

  private Explanation explain(TinyCheckpoint checkpoint, String recipe, String... modules) {
    Path model = folder.resolve("m" + models++);
    checkpoint.write(model);
    return Explanation.of(
        TinyCheckpoint.store(),
        Recipes.read(folder, "model = %s, %s".formatted(model, recipe)),
        ModuleMatcher.of(modules.length == 0 ? new String[] {"*"} : modules));
  }

  private static List<String> names(Explanation explanation) {
    return explanation.groups().stream()
        .flatMap(group -> group.linears().stream())
        .map(Explanation.Similar::name)
        .toList();
  }

  /** What is said of the only group with a linear of this name: its steps, then its storage. */
  private static List<String> said(Explanation explanation, String suffix) {
    List<LinearStory> stories =
        explanation.groups().stream()
            .filter(group -> group.linears().stream().anyMatch(l -> l.name().endsWith(suffix)))
            .map(Explanation.Group::story)
            .toList();
    assertThat(stories).as(explanation.text()).hasSize(1);
    LinearStory story = stories.get(0);
    return Stream.concat(
            story.steps().stream().map(line -> line.label() + ": " + line.text()),
            Stream.of(story.stored()))
        .toList();
  }
}
