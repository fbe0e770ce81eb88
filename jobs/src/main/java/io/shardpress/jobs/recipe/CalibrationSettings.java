package io.shardpress.jobs.recipe;

import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.data.Sample;
import java.util.List;
import java.util.Optional;

/**
 * The recipe's {@code calibration} section.
 *
 * @param data files or globs; empty when no step needs data
 * @param field JSON field or Parquet column with text or token ids
 * @param sequences number of sequences
 * @param length tokens per sequence
 * @param statistics where statistics are kept for other runs; by default with the run
 * @param scratchSize partial sums that one-pass calibration may keep on storage at once
 * @param chunkTokens tokens of one task; chunk borders, and so the bits of the sums, follow from it
 */
public record CalibrationSettings(
    List<String> data,
    Optional<String> field,
    int sequences,
    int length,
    CalibrationMode mode,
    CalibrationPrecision precision,
    Sample sample,
    long seed,
    DataSettings.Bos bos,
    int chunkTokens,
    ExpertPolicy experts,
    Optional<String> statistics,
    DataSize scratchSize) {

  public CalibrationSettings {
    data = List.copyOf(data);
    Numbers.positive("sequences", sequences);
    Numbers.positive("length", length);
    Numbers.positive("chunk-tokens", chunkTokens);
  }

  /** The same as settings of the data reader. */
  public DataSettings dataSettings() {
    return new DataSettings(
        data,
        field,
        length,
        Optional.of(sequences),
        sample,
        seed,
        bos,
        Math.max(1, chunkTokens / length));
  }
}
