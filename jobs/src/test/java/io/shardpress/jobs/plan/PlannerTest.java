package io.shardpress.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.operators.compression.Gptq;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Rtn;
import io.shardpress.operators.compression.Storage;
import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.model.LinearModule.Layout;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlannerTest {
  private static final String RTN = "steps = [ { rtn { group-size = 16 } } ]";
  private static final String GPTQ = "steps = [ { gptq { group-size = 16 } } ]";

  @TempDir private Path folder;

  @Test
  void plansEveryLinearOfALlamaInTheOrderOfTheForwardPass() {
    Plan plan = plan(TinyCheckpoint.llama(1), GPTQ);

    assertThat(plan.family()).contains("llama");
    assertThat(plan.blocks()).isEqualTo(2);
    assertThat(plan.layers())
        .extracting(LayerTask::module)
        .containsExactlyElementsOf(
            IntStream.range(0, 2)
                .mapToObj(
                    block ->
                        List.of(
                            TinyCheckpoint.layer(block, "self_attn.q_proj"),
                            TinyCheckpoint.layer(block, "self_attn.k_proj"),
                            TinyCheckpoint.layer(block, "self_attn.v_proj"),
                            TinyCheckpoint.layer(block, "self_attn.o_proj"),
                            TinyCheckpoint.layer(block, "mlp.gate_proj"),
                            TinyCheckpoint.layer(block, "mlp.up_proj"),
                            TinyCheckpoint.layer(block, "mlp.down_proj")))
                .flatMap(List::stream)
                .toList());
    assertThat(plan.layers(1)).hasSize(7).allMatch(layer -> layer.stage() == 1);
    assertThat(plan.inputs(0)).hasSize(4);
    assertThat(plan.inputs(2)).isEmpty();
    assertThat(plan.uncompressed()).containsOnlyKeys("lm_head");
    assertThat(plan.needsStatistics()).isTrue();
    assertThat(plan.warnings()).isEmpty();
  }

  @Test
  void describesALayer() {
    LayerTask down = layer(plan(TinyCheckpoint.llama(DType.BF16, 2), GPTQ), "mlp.down_proj");

    String name = TinyCheckpoint.layer(0, "mlp.down_proj");
    assertThat(down.weight()).isEqualTo(TensorSpec.of(name + ".weight", DType.BF16, 32, 48));
    assertThat(down.out()).isEqualTo(32);
    assertThat(down.in()).isEqualTo(48);
    assertThat(down.layout()).isEqualTo(Layout.OUT_IN);
    assertThat(down.expert()).isFalse();
    assertThat(down.needsStatistics()).isTrue();
    assertThat(down.storage()).isEqualTo(((Gptq) down.steps().get(0).settings()).scheme());
    assertThat(down.stored().type()).isEqualTo(DType.BF16);
  }

  @Test
  void foretellsTheBytesOfTheOutput() {
    Plan plan =
        plan(
            TinyCheckpoint.llama(3),
            "steps = [ { rtn { targets = \"re:.*0.*k_proj\"," + " group-size = 16 } } ]");

    assertThat(plan.layers()).hasSize(1);
    long dense = 16 * 32 * 4;
    long codes = 16 * 32 / 2;
    long scales = 16 * (32 / 16) * 4;
    long shape = 2 * 8;
    assertThat(plan.sourceBytes() - plan.plannedBytes()).isEqualTo(dense - codes - scales - shape);
    assertThat(plan.copied()).noneMatch(spec -> spec.name().contains("0.self_attn.k_proj"));
    assertThat(plan.copied()).anyMatch(spec -> spec.name().equals("model.embed_tokens.weight"));
  }

  @Test
  void foretellsCostAndMemory() {
    LayerTask gptq = layer(plan(TinyCheckpoint.llama(4), GPTQ), "mlp.down_proj");
    LayerTask rtn = layer(plan(TinyCheckpoint.llama(4), RTN), "mlp.down_proj");

    assertThat(gptq.cost()).isEqualTo(2.0 / 3 * 48 * 48 * 48 + 32.0 * 48 * 48);
    assertThat(rtn.cost()).isEqualTo(100.0 * 32 * 48);
    assertThat(rtn.memory().ownBytes()).as("the weight").isEqualTo(4 * 32 * 48);
    assertThat(rtn.memory().shared()).isEmpty();
    assertThat(gptq.memory().sharedBytes()).as("Gram and factor").isEqualTo(2 * 4 * 48 * 48);
    assertThat(gptq.memory().ownBytes()).isGreaterThan(rtn.memory().ownBytes());
    assertThat(new StepTask(gptq, 0).memory(16, "").ownBytes())
        .isLessThanOrEqualTo(gptq.memory().ownBytes());
  }

  @Test
  void sharesWhatIsPreparedInOneRunForOneInputWithEqualSettings() {
    Plan plan =
        plan(
            TinyCheckpoint.llama(4),
            "steps = [ { gptq { group-size = 16, overrides = [ { targets = \"*.k_proj\", bits = 8 }"
                + " ] } } ]");
    LayerTask query = layer(plan, "q_proj");

    assertThat(sharedKey(query, "run")).isEqualTo(sharedKey(layer(plan, "v_proj"), "run"));
    assertThat(sharedKey(query, "run")).isNotEqualTo(sharedKey(layer(plan, "k_proj"), "run"));
    assertThat(sharedKey(query, "run")).isNotEqualTo(sharedKey(layer(plan, "o_proj"), "run"));
    assertThat(sharedKey(query, "run")).isNotEqualTo(sharedKey(query, "other"));
    assertThat(new StepTask(query, 0).memory(8, "run").shared().orElseThrow().key())
        .isEqualTo(sharedKey(query, "run"));
  }

  @Test
  void followsTargetsIgnoreAndOverrides() {
    Plan plan =
        plan(
            TinyCheckpoint.llama(5),
            """
            steps = [
              { gptq { group-size = 16, targets = "*.mlp.*", ignore = "re:.*layers.0",
                       overrides = [ { targets = "*.down_proj", bits = 8 } ] } }
              { rtn { group-size = channel, targets = "re:.*q_proj" } }
            ]
            """);

    assertThat(plan.layers())
        .extracting(LayerTask::module)
        .containsExactly(
            TinyCheckpoint.layer(0, "self_attn.q_proj"),
            TinyCheckpoint.layer(1, "self_attn.q_proj"),
            TinyCheckpoint.layer(1, "mlp.gate_proj"),
            TinyCheckpoint.layer(1, "mlp.up_proj"),
            TinyCheckpoint.layer(1, "mlp.down_proj"));
    assertThat(plan.layers().get(0).steps().get(0).settings()).isInstanceOf(Rtn.class);
    assertThat(((Gptq) plan.layers().get(3).steps().get(0).settings()).bits()).isEqualTo(4);
    assertThat(((Gptq) plan.layers().get(4).steps().get(0).settings()).bits()).isEqualTo(8);
    assertThat(plan.uncompressed())
        .containsEntry(
            TinyCheckpoint.layer(0, "mlp.up_proj"), "'re:.*layers.0' is ignored; no target matches")
        .hasSize(15 - 5);
    assertThat(plan.inputs(0)).isEmpty();
    assertThat(plan.inputs(1)).hasSize(2);
  }

  @Test
  void placesAnUntiedHeadBehindTheBlocks() {
    Plan plan =
        plan(TinyCheckpoint.llama(6), "steps = [ { gptq { group-size = 16, ignore = [] } } ]");

    LayerTask head = plan.layers().get(plan.layers().size() - 1);
    assertThat(head.module()).isEqualTo("lm_head");
    assertThat(head.stage()).isEqualTo(2);
    assertThat(plan.inputs(2)).containsExactly(head.input());
  }

  @Test
  void leavesATiedHeadToTheEmbedding() {
    Plan plan =
        plan(
            TinyCheckpoint.llama(7).tied(), "steps = [ { rtn { group-size = 16, ignore = [] } } ]");

    assertThat(plan.layers()).hasSize(14).noneMatch(layer -> layer.module().equals("lm_head"));
    assertThat(plan.copied()).anyMatch(spec -> spec.name().equals("model.embed_tokens.weight"));
    assertThat(plan.warnings()).isEmpty();
  }

  @Test
  void plansExpertsAndLeavesRoutersAlone() {
    Plan plan = plan(TinyCheckpoint.mixtral(8), GPTQ);

    String router = TinyCheckpoint.layer(0, "block_sparse_moe.gate");
    assertThat(plan.uncompressed()).containsEntry(router, "routers stay as they are");
    assertThat(plan.layers()).filteredOn(LayerTask::expert).hasSize(2 * 4 * 3);
    assertThat(plan.layers()).filteredOn(layer -> !layer.expert()).hasSize(2 * 4);
    assertThat(plan.inputs(0))
        .as("attention's two, and two of each expert")
        .hasSize(2 + 2 * TinyCheckpoint.EXPERTS);
    assertThat(plan.copied()).anyMatch(spec -> spec.name().equals(router + ".weight"));
  }

  @Test
  void leavesRoutersAloneEvenWhenTargetedByName() {
    assertThatThrownBy(
            () ->
                plan(
                    TinyCheckpoint.qwen3Moe(9),
                    "steps = [ { rtn { group-size = 16, targets = \"*.mlp.gate\" } } ]"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("No linear of");
  }

  @Test
  void guessesTheLinearsOfAnUnknownFamilyByShape() {
    Plan plan = plan(TinyCheckpoint.unknown(10), RTN);

    assertThat(plan.family()).isEmpty();
    assertThat(plan.blocks()).isZero();
    assertThat(plan.layers())
        .extracting(LayerTask::module)
        .containsExactlyInAnyOrder("encoder.0.first", "encoder.0.second");
    assertThat(plan.layers()).allMatch(layer -> layer.stage() == 0);
    assertThat(plan.warnings())
        .containsExactly(
            "Unknown family 'mystery': linears were guessed from names and shapes; check what the"
                + " plan command lists.");
  }

  @Test
  void refusesStatisticsOfAnUnknownFamily() {
    assertRefused(
        TinyCheckpoint.unknown(11),
        GPTQ,
        "The family 'mystery' is not one that Shardpress can run");
  }

  @Test
  void plansConv1dAsItIsStored() {
    LayerTask layer = layer(plan(TinyCheckpoint.gpt2(12), RTN), "mlp.c_fc");

    assertThat(layer.layout()).isEqualTo(Layout.IN_OUT);
    assertThat(layer.weight().shape()).containsExactly(32L, 128L);
    assertThat(layer.out()).isEqualTo(128);
    assertThat(layer.in()).isEqualTo(32);
  }

  private static String sharedKey(LayerTask layer, String run) {
    return new StepTask(layer, 0).sharedKey(run, layer.steps().get(0).settings());
  }

  @Test
  void refusesGroupsThatDoNotDivideARow() {
    assertRefused(
        TinyCheckpoint.llama(13),
        "steps = [ { rtn { group-size = 32 } } ]",
        TinyCheckpoint.layer(0, "mlp.down_proj")
            + ": group-size = 32 does not divide the 48 inputs of this linear");
  }

  @Test
  void refusesToQuantizeAWeightTwice() {
    assertRefused(
        TinyCheckpoint.llama(14),
        "steps = [ { rtn { group-size = 16 } }, { gptq { group-size = 16, targets = \"*.o_proj\" }"
            + " } ]",
        TinyCheckpoint.layer(0, "self_attn.o_proj")
            + ": a second step, steps.1 (gptq), would quantize it; once is all a weight can take.");
  }

  @Test
  void takesStepsInTheOrderThatKeepsWhatTheyDid() {
    Plan plan =
        plan(
            TinyCheckpoint.llama(14),
            "steps = [ { wanda { pattern = \"2:4\" } }, { rtn { group-size = 16, targets ="
                + " \"*.o_proj\" } } ]");
    LayerTask both = layer(plan, "o_proj");
    assertThat(both.steps()).extracting(LayerStep::position).containsExactly(0, 1);
    assertThat(both.storage()).isEqualTo(Rtn.of(4, GroupSize.of(16)).scheme());
    assertThat(layer(plan, "q_proj").storage()).isEqualTo(Storage.PLAIN);

    assertRefused(
        TinyCheckpoint.llama(14),
        "steps = [ { rtn { group-size = 16 } }, { magnitude { sparsity = 0.5 } } ]",
        "steps.1 (magnitude) would prune it behind a step that quantizes. Put pruning first.");
    assertRefused(
        TinyCheckpoint.llama(14),
        "steps = [ { wanda {} } ]",
        "Nothing says how much to prune. Set sparsity = 0.5, or pattern = \"2:4\".");
    assertRefused(
        TinyCheckpoint.llama(14),
        "steps = [ { wanda { pattern = \"3:7\" } } ]",
        "pattern = \"3:7\" does not divide the 32 inputs of this linear.");
    assertRefused(
        TinyCheckpoint.llama(14),
        "calibration.mode = sequential, steps = [ { magnitude { sparsity = 0.1 } }, { wanda {"
            + " sparsity = 0.5, budget = owl } } ]",
        "steps.1 (wanda) has to see the weights of all blocks at once");
    assertRefused(
        TinyCheckpoint.llama(14),
        "calibration.mode = sequential, steps = [ { wanda { sparsity = 0.1 } }, { magnitude {"
            + " sparsity = 0.5, scope = global } } ]",
        "steps.1 (magnitude) has to see the weights of all blocks at once");
    Plan alone =
        plan(
            TinyCheckpoint.llama(14),
            "calibration.mode = sequential, steps = [ { wanda { sparsity = 0.1 } }, { magnitude {"
                + " sparsity = 0.5 } } ]");
    assertThat(layer(alone, "q_proj").steps())
        .as("a linear that is solved at once finds its threshold itself")
        .hasSize(2);
  }

  @Test
  void refusesARecipeThatDoesNothing() {
    assertRefused(TinyCheckpoint.llama(15), "", "No linear of");
    assertRefused(
        TinyCheckpoint.llama(15), "steps = [ { rtn { targets = nothing } } ]", "No linear of");
  }

  @Test
  void refusesAWeightThatDoesNotFitTheConfiguration() {
    assertRefused(
        TinyCheckpoint.llama(16).matrix(TinyCheckpoint.layer(1, "mlp.up_proj.weight"), 48, 16),
        RTN,
        TinyCheckpoint.layer(1, "mlp.up_proj.weight")
            + " is [48, 16], but config.json makes it [48, 32].");
  }

  @Test
  void refusesACompressedModel() {
    TinyCheckpoint compressed = TinyCheckpoint.llama(17).quantizationConfig();
    assertRefused(compressed, RTN, "is compressed already");
  }

  @Test
  void warnsOfPatternsThatMatchNothing() {
    Plan plan =
        plan(
            TinyCheckpoint.llama(18),
            """
            steps = [
              { rtn { group-size = 16, targets = [Linear, "*.dwon_proj"], ignore = lm_haed,
                      overrides = [ { targets = "*.qproj", bits = 8 } ] } }
            ]
            """);

    assertThat(plan.layers()).hasSize(15);
    assertThat(plan.warnings())
        .containsExactly(
            "steps.0: target '*.dwon_proj' matches no linear of this model; is it misspelt?",
            "steps.0: override's target '*.qproj' matches no linear of this model; is it misspelt?",
            "steps.0: ignored name 'lm_haed' matches no linear of this model; is it misspelt?");
  }

  @Test
  void plansShardedCheckpointsAlike() {
    Recipe recipe = Recipes.read(folder, GPTQ);
    Plan one =
        Planner.plan(
            TinyCheckpoint.llama(19).write(folder.resolve("one")).openWhole(),
            recipe,
            new CompressedTensors());
    Plan two =
        Planner.plan(
            TinyCheckpoint.llama(19).writeSharded(folder.resolve("two")).openWhole(),
            recipe,
            new CompressedTensors());

    assertThat(two.layers()).isEqualTo(one.layers());
    assertThat(Set.copyOf(two.copied())).isEqualTo(Set.copyOf(one.copied()));
    assertThat(two.plannedBytes()).isEqualTo(one.plannedBytes());
  }

  private void assertRefused(TinyCheckpoint checkpoint, String recipe, String message) {
    assertThatThrownBy(() -> plan(checkpoint, recipe))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  private static LayerTask layer(Plan plan, String suffix) {
    return plan.layers().stream()
        .filter(layer -> layer.module().endsWith(suffix))
        .findFirst()
        .orElseThrow();
  }

  private Plan plan(TinyCheckpoint checkpoint, String recipe) {
    Path model = folder.resolve("model-" + System.nanoTime());
    return Planner.plan(
        checkpoint.write(model).openWhole(), Recipes.read(folder, recipe), new CompressedTensors());
  }
}
