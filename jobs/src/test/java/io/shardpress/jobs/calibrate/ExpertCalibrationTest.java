package io.shardpress.jobs.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.fixture.TinyRun;
import io.shardpress.jobs.fixture.TinyTokens;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.recipe.StarvedExperts;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SparkTest
class ExpertCalibrationTest {
  private static final String GPTQ = "{ gptq { group-size = 16 } }";
  private static final long TOKENS = (long) TinyRun.SEQUENCES * TinyTokens.LENGTH;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"mixtral", "qwen3_moe"})
  void showsAStarvedExpertAllTokens(String family, SparkSession spark) {
    TinyRun run = run(spark, family);
    Calibration calibration = calibration(run, 1, StarvedExperts.ALL_TOKENS);

    Map<String, StoredInput> observed = calibration.observeAll();

    assertThat(observed.keySet()).isEqualTo(allInputs(run));
    for (ExpertTokens expert : calibration.experts()) {
      boolean idle = isIdle(expert);
      assertThat(expert.tokens() == 0).as(expert.input()).isEqualTo(idle);
      assertThat(expert.action()).isEqualTo(idle ? "all-tokens" : "none");
      assertThat(storedTokens(run, observed.get(expert.input())))
          .as(expert.input())
          .isEqualTo(idle ? TOKENS : expert.tokens());
    }
    assertThat(calibration.experts()).filteredOn(expert -> isIdle(expert)).hasSize(2 * 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixtral", "qwen3_moe"})
  void routesEveryTokenToOneExpert(String family, SparkSession spark) {
    TinyRun run = run(spark, family);
    Calibration calibration = calibration(run, 0, StarvedExperts.FAIL);
    calibration.observeAll();

    // Each expert has two inputs, and one expert per token and block is asked.
    assertThat(calibration.experts().stream().mapToLong(ExpertTokens::tokens).sum())
        .isEqualTo(2 * 2 * TOKENS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixtral", "qwen3_moe"})
  void leavesOutAStarvedExpertThatIsToFallBack(String family, SparkSession spark) {
    TinyRun run = run(spark, family);
    Calibration calibration = calibration(run, 1, StarvedExperts.FALL_BACK);

    Map<String, StoredInput> observed = calibration.observeAll();

    Set<String> missing = new HashSet<>(allInputs(run));
    missing.removeAll(observed.keySet());
    assertThat(missing).hasSize(2 * 2).allMatch(input -> input.contains(idle()));
    assertThat(actions(calibration)).containsEntry("fall-back", 4L).containsEntry("none", 12L);
  }

  @Test
  void leavesOutExpertsThatSawSomeTokensButTooFew(SparkSession spark) {
    TinyRun run = run(spark, "mixtral");
    Calibration calibration = calibration(run, TOKENS + 1, StarvedExperts.FALL_BACK);

    Map<String, StoredInput> observed = calibration.observeAll();

    assertThat(observed.keySet()).hasSize(2 * 2).noneMatch(input -> input.contains("experts"));
    assertThat(actions(calibration)).containsOnlyKeys("fall-back");
  }

  @Test
  void asksForAShareOfTheTokens(SparkSession spark) {
    ExpertPolicy policy = new ExpertPolicy(10, 0.25, StarvedExperts.FAIL);
    assertThat(policy.required(41)).isEqualTo(11);
    assertThat(policy.required(8)).isEqualTo(10);
    assertThatThrownBy(() -> new ExpertPolicy(0, Double.NaN, StarvedExperts.FAIL))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("minimum-share in [0, 1], not 0 and NaN");
  }

  @Test
  void failsAtTheFirstStarvedExpertAndNamesIt(SparkSession spark) {
    TinyRun run = run(spark, "mixtral");
    assertThatThrownBy(() -> calibration(run, 1, StarvedExperts.FAIL).observeAll())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Only 0 calibration tokens reached ")
        .hasMessageContaining(idle())
        .hasMessageContaining("the recipe asks for 1.")
        .hasMessageContaining("calibration.experts.starved");
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixtral", "qwen3_moe"})
  void looksTwiceAtAStarvedStageInSequentialMode(String family, SparkSession spark) {
    TinyRun onePass = run(spark, family);
    TinyRun sequential = onePass.elsewhere();
    Map<String, StoredInput> all = calibration(onePass, 1, StarvedExperts.ALL_TOKENS).observeAll();
    Calibration calibration = calibration(sequential, 1, StarvedExperts.ALL_TOKENS);

    Map<String, StoredInput> observed =
        calibration.observe(0, sequential.plan().inputs(0), sequential.staged(List.of()), "");

    assertThat(observed.keySet()).isEqualTo(sequential.plan().inputs(0));
    assertThat(calibration.experts()).hasSize(2 * TinyCheckpoint.EXPERTS);
    observed.forEach(
        (input, stored) -> assertThat(hashes(stored)).as(input).isEqualTo(hashes(all.get(input))));
  }

  private static List<String> hashes(StoredInput stored) {
    return stored.kept().files().stream().map(PublishedFile::sha256).toList();
  }

  private TinyRun run(SparkSession spark, String family) {
    TinyCheckpoint checkpoint =
        family.equals("mixtral") ? TinyCheckpoint.mixtral(21) : TinyCheckpoint.qwen3Moe(22);
    return TinyRun.of(spark, folder, checkpoint, GPTQ);
  }

  private static Calibration calibration(TinyRun run, long minimum, StarvedExperts starved) {
    return run.calibration(new ExpertPolicy(minimum, 0, starved));
  }

  private static Map<String, Long> actions(Calibration calibration) {
    return calibration.experts().stream()
        .collect(Collectors.groupingBy(ExpertTokens::action, Collectors.counting()));
  }

  private static Set<String> allInputs(TinyRun run) {
    Set<String> inputs = new HashSet<>();
    List.of(0, 1).forEach(stage -> inputs.addAll(run.plan().inputs(stage)));
    return inputs;
  }

  private static boolean isIdle(ExpertTokens expert) {
    return expert.input().contains(idle());
  }

  private static String idle() {
    return "experts." + TinyCheckpoint.IDLE_EXPERT + ".";
  }

  private static long storedTokens(TinyRun run, StoredInput stored) {
    try (InputStatistics statistics =
        StoredStatistics.read(stored.kept().input(), stored.tensors(run.model().store()))) {
      assertThat(statistics.tokens()).isEqualTo(stored.kept().tokens());
      return statistics.tokens();
    }
  }
}
