package io.shardpress.jobs.report;

import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.recipe.DataSize;
import io.shardpress.jobs.run.Durations;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The table that a run ends with. */
public final class Summary {
  private Summary() {}

  public static String of(RunRecord record, String output) {
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"", "before", "after"});
    record
        .sizes()
        .ifPresent(
            sizes -> {
              rows.add(
                  new String[] {
                    "size",
                    new DataSize(sizes.sourceBytes()).toString(),
                    new DataSize(sizes.outputBytes()).toString()
                  });
              rows.add(
                  new String[] {
                    "bits per weight",
                    number("%.2f", 8.0 * sizes.sourceBytes() / sizes.parameters()),
                    number("%.2f", sizes.bitsPerWeight())
                  });
              rows.add(
                  new String[] {
                    "  of compressed linears", "", number("%.2f", sizes.linearBitsPerWeight())
                  });
              rows.add(
                  new String[] {
                    "  zeros among these", "", number("%.2f %%", 100 * sparsity(record))
                  });
            });
    record
        .evaluation()
        .ifPresent(
            after -> {
              rows.add(
                  new String[] {
                    "perplexity",
                    after.reference().map(dense -> number("%.4f", dense.perplexity())).orElse(""),
                    number("%.4f", after.perplexity())
                  });
              after.reference().ifPresent(divergence -> addDivergence(rows, divergence));
            });
    StringBuilder text = new StringBuilder("\n");
    rows.forEach(row -> text.append(String.format("%-24s %12s %12s%n", (Object[]) row)));
    text.append(System.lineSeparator());
    text.append(line("layers", totals(record)));
    text.append(
        line(
            "time",
            record.seconds().entrySet().stream()
                .map(stage -> stage.getKey() + " " + seconds(stage.getValue()))
                .collect(Collectors.joining(", "))));
    text.append(line("output", output));
    return text.toString();
  }

  /** Share of zeros among the weights of all compressed linears. */
  private static double sparsity(RunRecord record) {
    double zeros = 0;
    double weights = 0;
    for (LayerOutcome layer : record.layers()) {
      if (layer.replacesWeight()) {
        zeros += layer.sparsity() * layer.out() * layer.in();
        weights += (double) layer.out() * layer.in();
      }
    }
    return weights == 0 ? 0 : zeros / weights;
  }

  private static void addDivergence(List<String[]> rows, Evaluation.Divergence divergence) {
    rows.add(new String[] {"KL to dense (nats/token)", "", number("%.3g", divergence.mean())});
    rows.add(new String[] {"top-1 agreement", "", number("%.2f %%", 100 * divergence.top1())});
  }

  private static String totals(RunRecord record) {
    return record.totals().entrySet().stream()
        .map(
            total ->
                total.getValue()
                    + " "
                    + total.getKey().name().toLowerCase(Locale.ROOT).replace('_', ' '))
        .collect(Collectors.joining(", "));
  }

  private static String line(String name, String value) {
    return String.format("%-8s %s%n", name, value);
  }

  private static String seconds(double seconds) {
    return Durations.text(Duration.ofMillis(Math.round(1000 * seconds)));
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
