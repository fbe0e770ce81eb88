package io.shardpress.jobs.job;

import io.shardpress.jobs.evaluate.Evaluation;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code evaluate} says of a model.
 *
 * @param model its location
 */
public record EvaluationReport(String model, Evaluation evaluation) {

  /**
   * The figures that scripts read ({@code perplexity}, {@code tokens}, and with a reference {@code
   * kl} and {@code top1}), and all the rest under {@code details}.
   */
  public Map<String, Object> json() {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("model", model);
    figures.put("perplexity", evaluation.perplexity());
    figures.put("tokens", evaluation.tokens());
    evaluation
        .reference()
        .ifPresent(
            reference -> {
              figures.put("kl", reference.mean());
              figures.put("top1", reference.top1());
            });
    figures.put("details", evaluation);
    return figures;
  }

  /** The same for people. */
  public String text() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "perplexity %.4f ± %.4f over %d tokens (%d windows of %d)",
            evaluation.perplexity(),
            evaluation.perplexityError(),
            evaluation.tokens(),
            evaluation.windows(),
            evaluation.length()));
    evaluation
        .reference()
        .ifPresent(
            dense ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "%ndense      %.4f%nKL         %.4g nats/token (median %.2g, 99 %% %.2g,"
                            + " 99.9 %% %.2g, maximum %.2g)%ntop-1      %.2f %% of tokens agree",
                        dense.perplexity(),
                        dense.mean(),
                        dense.median(),
                        dense.percentile99(),
                        dense.percentile999(),
                        dense.maximum(),
                        100 * dense.top1())));
    return text.toString();
  }
}
