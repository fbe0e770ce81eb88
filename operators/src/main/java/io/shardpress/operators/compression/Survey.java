package io.shardpress.operators.compression;

import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a step has to know of all its linears before any of them is solved, such as one threshold
 * for all. It looks at every linear in rounds; what a look finds is small and adds up, so that
 * looks can be spread over machines. Immutable.
 */
public sealed interface Survey extends Serializable permits MagnitudeSurvey, OutlierSurvey {

  /** The statistics that a look cannot do without. */
  StatisticsNeed needs();

  /** Whether something has to be known before this one is solved. */
  boolean concerns(Subject subject);

  /**
   * Looks at some rows of a linear.
   *
   * @param weight F32 or BF16 {@code [rows, in]}, borrowed
   * @param statistics of the input, where it has any
   */
  Finding look(Subject subject, INDArray weight, Optional<InputStatistics> statistics);

  /**
   * Takes what a round has found.
   *
   * @param findings of all subjects, in the order of the forward pass
   */
  Next next(List<Finding> findings);

  /**
   * Some rows of a linear.
   *
   * @param stage the block that it belongs to
   * @param first the first of its rows
   * @param out rows of the whole linear
   */
  record Subject(String module, int stage, long first, long rows, long out, long in)
      implements Serializable {

    /** Whether it is the whole linear. */
    boolean isWhole() {
      return rows == out;
    }

    double weights() {
      return (double) rows * in;
    }
  }

  /**
   * What a look found: values by key, such as the counts of a histogram.
   *
   * @param keys ascending
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Finding(Subject subject, int[] keys, double[] values) implements Serializable {}

  /** What comes after a round. */
  sealed interface Next {}

  /** Another round. */
  record Again(Survey survey) implements Next {}

  /** The end: what each subject is solved with. */
  record Decided(Map<Subject, Settings> settings) implements Next {
    public Decided {
      settings = Map.copyOf(settings);
    }
  }
}
