package io.shardpress.jobs.statistics;

import io.shardpress.jobs.storage.PublishedFile;
import java.io.Serializable;
import java.util.List;

/**
 * What is kept of one shared input.
 *
 * @param input its id
 * @param width its channels; 0 where nothing is kept
 * @param tokens tokens that were summed
 * @param routed tokens that reached it by themselves; fewer than {@code tokens} where a starved
 *     expert was shown all
 * @param action what the minimum-tokens policy did: {@code none}, {@code all-tokens} or {@code
 *     fall-back}
 * @param files the files with its statistics; none where it has none that may be used
 */
public record KeptInput(
    String input, int width, long tokens, long routed, String action, List<PublishedFile> files)
    implements Serializable {
  public KeptInput {
    files = List.copyOf(files);
  }

  /** Whether there are statistics to solve with. */
  public boolean hasStatistics() {
    return !files.isEmpty();
  }

  /** Bytes of its files. */
  public long bytes() {
    return files.stream().mapToLong(PublishedFile::bytes).sum();
  }
}
