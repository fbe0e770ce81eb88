package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import java.util.List;
import java.util.Optional;

/**
 * Which data to read and how to cut it into sequences of one length.
 *
 * <p>The format follows from a file's name: {@code .txt}, {@code .jsonl} or {@code .json} (one
 * object per line), both also with {@code .gz}; {@code .parquet}; {@code .arrow} or {@code
 * .feather} (Arrow IPC, file or stream). Files are taken in the order of their paths. Each file is
 * one text: a {@code .txt} as it is, the rows of the others joined by two newlines, as WikiText's
 * lines are for published perplexities. Each text is tokenized without special tokens, the ids of
 * all files are put one after the other and cut into windows without overlap; the remainder is
 * dropped.
 *
 * <p>A field of integer lists holds ready token ids instead: each row is one sequence, its first
 * {@code length} ids used as they are, and no BOS is added.
 *
 * @param data files, folders (their data files, not below) or globs with {@code *} and {@code ?}
 * @param field field or column with the text or the ids; absent: {@code text}, else {@code
 *     input_ids}
 * @param length tokens of one sequence, BOS included; at most the model's context
 * @param sequences how many sequences to take; absent: all
 * @param sample which windows to take when there are more than {@code sequences}
 * @param seed of {@link Sample#RANDOM}; no effect on the others
 * @param bos whether each window of text starts with BOS and so holds {@code length - 1} tokens of
 *     the text
 * @param sequencesPerChunk sequences in one chunk file, the unit of later work
 */
public record DataSettings(
    List<String> data,
    Optional<String> field,
    int length,
    Optional<Integer> sequences,
    Sample sample,
    long seed,
    Bos bos,
    int sequencesPerChunk) {

  /** When BOS starts a window. */
  public enum Bos {
    /** When the model has one. */
    AUTO,
    /** Always; a model without one is an error. */
    ALWAYS,
    NEVER
  }

  public DataSettings {
    data = List.copyOf(data);
    if (data.isEmpty()) {
      throw new InputException(
          "No data is named: 'data' is empty. List at least one file, folder or glob.");
    }
    atLeast(2, length, "length", "one token is context, the others are predicted");
    sequences.ifPresent(count -> atLeast(1, count, "sequences", "it is a number of sequences"));
    atLeast(1, sequencesPerChunk, "sequences-per-chunk", "it is a number of sequences");
  }

  private static void atLeast(int least, int value, String key, String why) {
    if (value < least) {
      throw new InputException(
          "%s = %d is too small: %s. Set it to %d or more.".formatted(key, value, why, least));
    }
  }
}
