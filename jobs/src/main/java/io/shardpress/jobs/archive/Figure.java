package io.shardpress.jobs.archive;

import java.io.Serializable;

/**
 * Bytes of one kind.
 *
 * @param sourceBytes in the checkpoint
 * @param archiveBytes in the archive
 * @param boundBytes the least that codes of one symbol after the other could take: the entropy of
 *     how often each symbol occurs in each stream of each tensor
 */
public record Figure(long sourceBytes, long archiveBytes, double boundBytes)
    implements Serializable {
  static final Figure NONE = new Figure(0, 0, 0);

  Figure plus(Figure other) {
    return new Figure(
        sourceBytes + other.sourceBytes,
        archiveBytes + other.archiveBytes,
        boundBytes + other.boundBytes);
  }

  /** Archive over bound; NaN where there is nothing to code. */
  double ratio() {
    return boundBytes == 0 ? Double.NaN : archiveBytes / boundBytes;
  }
}
