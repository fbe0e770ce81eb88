package io.shardpress.integration.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.integration.benchmarks.EndToEnd.Run;
import io.shardpress.integration.benchmarks.EndToEnd.Setting;
import io.shardpress.integration.benchmarks.Measurement.Round;
import io.shardpress.operators.model.Precision;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void hasARowPerMeasurement() {
    Measurement product =
        new Measurement(
            "Product",
            2,
            Work.flops(34.4e9),
            Precision.BF16,
            List.of(new Round(0.02, 2e12)),
            OptionalDouble.of(1.873));
    Measurement rounding =
        new Measurement(
            "Rtn",
            1,
            Work.bytes(33.5e6),
            Precision.F32,
            List.of(new Round(1.5, 1e11)),
            OptionalDouble.empty());

    assertThat(Table.of(List.of(product, rounding)).lines().skip(2))
        .containsExactly(
            "| Product | 2 | 20.0 ms | 34 GFLOP | 1720 GFLOP/s | BF16 2000 GFLOP/s | 0.86"
                + " (0.86-0.86) | 1.87 |",
            "| Rtn | 1 | 1.50 s | 0.03 GB | 0.02 GB/s | F32 100 GFLOP/s |  |  |");
  }

  @Test
  void endToEndTellsTheGainAndTheStages() {
    EndToEnd.Round slow = round(60, 40);
    EndToEnd.Round fast = round(30, 15);

    assertThat(
            EndToEnd.render(Map.of(new Setting("sequential", "absmax"), List.of(slow, fast, fast)))
                .lines()
                .skip(2))
        .containsExactly(
            "| sequential | absmax | 30.00 s | 15.00 s | 2.00 | F32 200 GFLOP/s | compress 7.50 s"
                + " |");
  }

  private static EndToEnd.Round round(double one, double all) {
    return new EndToEnd.Round(run(one), run(all), 2e11);
  }

  private static Run run(double seconds) {
    return new Run(seconds, Map.of("compress", seconds / 2));
  }

  @Test
  void namesTheProcessor() {
    assertThat(Machine.processor(List.of("processor : 0", "model name\t: Abacus 3000")))
        .isEqualTo("Abacus 3000");
    assertThat(Machine.processor(List.of())).isEqualTo(System.getProperty("os.arch"));
  }
}
