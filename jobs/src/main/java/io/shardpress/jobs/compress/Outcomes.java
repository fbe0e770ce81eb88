package io.shardpress.jobs.compress;

import io.shardpress.common.tensor.RawTensor;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.operators.quantization.LayerReport;
import io.shardpress.operators.quantization.LayerResult;
import io.shardpress.operators.quantization.Outcome;
import java.util.List;

/** Turns what an operator returns into what the driver records. */
final class Outcomes {
  private Outcomes() {}

  static LayerOutcome of(
      LayerTask layer, LayerResult result, List<RawTensor> tensors, String sha256, double seconds) {
    LayerReport report = result.report();
    return new LayerOutcome(
        layer.module(),
        kind(result.outcome()),
        why(result.outcome()),
        report.method(),
        layer.scheme(),
        report.out(),
        report.in(),
        report.relativeLoss().orElse(Double.NaN),
        report.weightNmse(),
        report.damping().orElse(Double.NaN),
        report.deadInputs(),
        report.clippedShare(),
        report.tokens(),
        seconds,
        tensors.stream().map(RawTensor::spec).toList(),
        sha256,
        report.notes());
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
