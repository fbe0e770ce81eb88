package io.shardpress.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.evaluate.Evaluation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SummaryTest {
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private final Map<Kind, Long> totals = new TreeMap<>();

  @Test
  void tabulatesBeforeAndAfter() {
    seconds.put("plan", 0.04);
    seconds.put("compress", 125.0);
    totals.put(Kind.COMPRESSED, 13L);
    totals.put(Kind.COMPRESSED_WITH_RECOVERY, 1L);
    Evaluation evaluation =
        new Evaluation(
            7.25,
            0.1,
            999,
            3,
            334,
            Optional.of(new Evaluation.Divergence(7.0, 0.0123, 0, 0, 0, 0, 0.987, 0, 0)));

    String text =
        summary(
            Optional.of(new Sizes(2_000_000, 500_000, 1_000_000, 4, 4.25)),
            Optional.of(evaluation));

    assertThat(text.lines())
        .containsExactly(
            "",
            "                               before        after",
            "size                           2.0 MB     500.0 kB",
            "bits per weight                 16.00         4.00",
            "  of compressed linears                       4.25",
            "  zeros among these                         0.00 %",
            "perplexity                     7.0000       7.2500",
            "KL to dense (nats/token)                    0.0123",
            "top-1 agreement                            98.70 %",
            "",
            "layers   13 compressed, 1 compressed with recovery",
            "time     plan 0.0 s, compress 2 min 05 s",
            "output   /out");
  }

  @Test
  void leavesOutWhatWasNotMeasured() {
    String text = summary(Optional.empty(), Optional.empty());
    assertThat(text).doesNotContain("perplexity", "size", "null").contains("output   /out");
  }

  @Test
  void knowsAnEvaluationWithoutReference() {
    String text =
        summary(Optional.empty(), Optional.of(new Evaluation(7.25, 0, 1, 1, 2, Optional.empty())));
    assertThat(text).containsPattern("perplexity +7.2500").doesNotContain("KL to dense");
  }

  @Test
  void survivesACheckpointWithoutWeights() {
    assertThat(summary(Optional.of(new Sizes(0, 0, 0, Double.NaN, Double.NaN)), Optional.empty()))
        .containsPattern("size +0 B +0 B");
  }

  private String summary(Optional<Sizes> sizes, Optional<Evaluation> evaluation) {
    return Summary.of(
        new RunRecord(
            RunRecord.FORMAT,
            "id",
            "complete",
            Optional.empty(),
            "",
            "",
            Map.of(),
            new KernelRecord("auto", 1, Map.of()),
            Map.of(),
            "{}",
            "/m",
            Optional.empty(),
            Optional.empty(),
            List.of(),
            totals,
            0,
            Map.of(),
            List.of(),
            sizes,
            evaluation,
            seconds,
            List.of(),
            List.of()),
        "/out");
  }
}
