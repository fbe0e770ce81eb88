package io.shardpress.integration;

import io.shardpress.jobs.evaluate.Evaluation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The rows of the quality table for pruned models. */
final class PruningRows {
  private static final String SEQUENTIAL = " sequential";
  private static final String F32 = " f32";

  private PruningRows() {}

  /** Compresses the model that a table is about. */
  interface Runner {
    Evaluation run(String name, List<String> settings) throws IOException;
  }

  private record Row(String method, String steps) {}

  static String of(int group, Runner runner) throws IOException {
    StringBuilder text =
        new StringBuilder("| sparsity | method | perplexity | KL to dense | top-1 | gap closed |\n")
            .append("| ---: | --- | ---: | ---: | ---: | ---: |\n");
    for (String amount : List.of("sparsity=0.5", "pattern=\"2:4\"")) {
      double magnitude = 0;
      for (Row row : rows(amount, group)) {
        Evaluation found = run(row, runner, amount);
        if (row.method().equals("magnitude")) {
          magnitude = found.perplexity();
        }
        Evaluation.Divergence divergence = found.reference().orElseThrow();
        double gap = magnitude - divergence.perplexity();
        text.append(
            String.format(
                Locale.ROOT,
                "| %s | %s | %.4f | %.3g | %.2f %% | %s |%n",
                amount.startsWith("s") ? "50 %" : "2:4",
                row.method(),
                found.perplexity(),
                divergence.mean(),
                100 * divergence.top1(),
                row.method().equals("magnitude")
                    ? ""
                    : String.format(
                        Locale.ROOT, "%.0f %%", 100 * (magnitude - found.perplexity()) / gap)));
      }
    }
    return text.toString();
  }

  private static List<Row> rows(String amount, int group) {
    String sparse = "{sparsegpt{%s}}".formatted(amount);
    String joint = "{sparsegpt{%s,bits=4,group-size=%d}}".formatted(amount, group);
    String aligned =
        "{sparsegpt{%s,bits=4,group-size=%d,levels=zero-aligned}}".formatted(amount, group);
    List<Row> rows = new ArrayList<>();
    rows.add(new Row("magnitude", "{magnitude{%s}}".formatted(amount)));
    rows.add(new Row("wanda", "{wanda{%s}}".formatted(amount)));
    rows.add(
        new Row(
            "sparsegpt, damping 0.01" + SEQUENTIAL + F32, sparse.replace("}}", ",damping=0.01}}")));
    rows.add(new Row("sparsegpt", sparse));
    rows.add(new Row("sparsegpt + refit", sparse + ",{refit{}}"));
    rows.add(new Row("sparsegpt + refit" + SEQUENTIAL, sparse + ",{refit{}}"));
    rows.add(new Row("sparsegpt, 4 bits", joint));
    rows.add(new Row("sparsegpt, 4 bits + refit", joint + ",{refit{}}"));
    rows.add(new Row("sparsegpt, 4 bits zero-aligned + refit", aligned + ",{refit{}}"));
    rows.add(
        new Row(
            "sparsegpt + refit, then gptq 4 bits + refit",
            "%s,{refit{}},{gptq{bits=4,group-size=%d}},{refit{}}".formatted(sparse, group)));
    return rows;
  }

  private static Evaluation run(Row row, Runner runner, String amount) throws IOException {
    return runner.run(
        row.method() + " " + amount,
        List.of(
            "calibration.mode=" + (row.method().contains(SEQUENTIAL) ? "sequential" : "one-pass"),
            "calibration.precision=" + (row.method().endsWith(F32) ? "f32" : "auto"),
            "steps=[" + row.steps() + "]"));
  }
}
