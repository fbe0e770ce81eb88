package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.util.Optional;

/** Settings of methods that set weights to zero. */
public sealed interface Pruner extends Settings permits Magnitude, Wanda, SparseGpt {

  /**
   * How many weights become zero.
   *
   * @throws InputException when the recipe does not say
   */
  Sparsity amount();

  /** The same method with another share of zeros. */
  Pruner withSparsity(double share);

  @Override
  default Role role() {
    return Role.PRUNE;
  }

  @Override
  default Storage storage(Storage before) {
    return Storage.PLAIN;
  }

  /** A survey for a budget that is not uniform. */
  static Optional<Survey> survey(Pruner settings, Budget budget) {
    if (budget.method() == Budget.Method.UNIFORM) {
      return Optional.empty();
    }
    if (!(settings.amount() instanceof Sparsity.Share share)) {
      throw new InputException(
          "budget = owl does not go with pattern = \"%s\", which fixes the sparsity of every layer. Give sparsity, or budget = uniform."
              .formatted(settings.amount()));
    }
    return Optional.of(OutlierSurvey.of(settings, budget, share.share()));
  }
}
