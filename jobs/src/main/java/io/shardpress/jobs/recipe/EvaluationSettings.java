package io.shardpress.jobs.recipe;

import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.data.Sample;
import java.util.List;
import java.util.Optional;

/**
 * The recipe's {@code evaluation} section.
 *
 * @param data files or globs; empty for no evaluation
 * @param length tokens per window
 * @param windows how many windows from the start of the data; absent: all
 */
public record EvaluationSettings(
    List<String> data,
    Optional<String> field,
    int length,
    Optional<Integer> windows,
    DataSettings.Bos bos,
    int chunkTokens) {

  public EvaluationSettings {
    data = List.copyOf(data);
    Numbers.positive("length", length);
    windows.ifPresent(count -> Numbers.positive("windows", count));
    Numbers.positive("chunk-tokens", chunkTokens);
  }

  /** These settings with what a command line gives in place of theirs. */
  public EvaluationSettings with(
      List<String> otherData, Optional<Integer> otherLength, Optional<String> otherField) {
    return new EvaluationSettings(
        otherData.isEmpty() ? data : otherData,
        otherField.or(() -> field),
        otherLength.orElse(length),
        windows,
        bos,
        chunkTokens);
  }

  /** The same as settings of the data reader. */
  public DataSettings dataSettings() {
    return new DataSettings(
        data, field, length, windows, Sample.FIRST, 0, bos, Math.max(1, chunkTokens / length));
  }
}
