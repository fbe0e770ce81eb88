package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.LinearSpec;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What lies between the last block and the language-model head. */
final class FinalNorm {
  private final Optional<Norm> norm;
  private final Optional<LinearSpec> project;
  private final WeightSource weights;

  FinalNorm(DecoderDescription description, WeightSource weights) {
    this.norm =
        description.head().norm().map(spec -> Norm.load(spec, description.hidden(), weights));
    this.project = description.head().project();
    this.weights = weights;
  }

  /** The normalized (and projected) rows, as a new matrix. */
  INDArray of(INDArray hidden) {
    INDArray normed = norm.isPresent() ? norm.get().of(hidden) : Floats.copy(hidden);
    if (project.isEmpty()) {
      return normed;
    }
    try (normed) {
      return Linears.apply(project.get(), normed, weights);
    }
  }
}
