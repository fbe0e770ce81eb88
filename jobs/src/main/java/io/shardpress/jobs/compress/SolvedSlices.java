package io.shardpress.jobs.compress;

import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.compression.LayerReport;
import io.shardpress.operators.compression.LayerResult;
import io.shardpress.operators.compression.Outcome;
import java.util.List;

/** Turns what an operator returns into what is recorded. */
final class SolvedSlices {
  private SolvedSlices() {}

  static SolvedSlice of(
      SolveSlices.Slice slice, LayerResult result, List<PublishedFile> files, double seconds) {
    LayerReport report = result.report();
    return new SolvedSlice(
        slice.layer().module(),
        slice.task().position(),
        slice.rows(),
        kind(result.outcome()),
        why(result.outcome()),
        report.method(),
        report.damping().orElse(Double.NaN),
        report.loss().orElse(Double.NaN),
        report.energy().orElse(Double.NaN),
        report.weightError(),
        report.weightEnergy(),
        report.clipped(),
        report.zeros(),
        report.tokens(),
        report.deadInputs(),
        seconds,
        report.notes(),
        files);
  }

  /** The same as a fallback, for {@code reason}; a failure or a copy stays one. */
  static SolvedSlice fallenBack(SolvedSlice solved, String reason) {
    return solved.files().isEmpty()
        ? solved
        : new SolvedSlice(
            solved.module(),
            solved.step(),
            solved.rows(),
            Kind.FELL_BACK,
            reason,
            solved.method(),
            solved.damping(),
            solved.loss(),
            solved.energy(),
            solved.weightError(),
            solved.weightEnergy(),
            solved.clipped(),
            solved.zeros(),
            solved.tokens(),
            solved.deadInputs(),
            solved.seconds(),
            solved.notes(),
            solved.files());
  }

  private static Kind kind(Outcome outcome) {
    if (outcome instanceof Outcome.Compressed) {
      return Kind.COMPRESSED;
    }
    if (outcome instanceof Outcome.Recovered) {
      return Kind.COMPRESSED_WITH_RECOVERY;
    }
    if (outcome instanceof Outcome.Copied) {
      return Kind.COPIED;
    }
    return outcome instanceof Outcome.FellBack ? Kind.FELL_BACK : Kind.FAILED;
  }

  private static String why(Outcome outcome) {
    if (outcome instanceof Outcome.Recovered recovered) {
      return "damping raised to " + recovered.damping();
    }
    if (outcome instanceof Outcome.Copied copied) {
      return copied.why();
    }
    if (outcome instanceof Outcome.FellBack fell) {
      return "fell back to %s: %s".formatted(fell.method(), fell.why());
    }
    return outcome instanceof Outcome.Failed failed ? failed.code() + ": " + failed.why() : "";
  }
}
