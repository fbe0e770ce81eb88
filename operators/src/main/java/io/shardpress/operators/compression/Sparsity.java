package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.io.Serializable;
import java.util.Optional;

/** How many weights pruning sets to zero: a share, or a number in every few. */
public sealed interface Sparsity extends Serializable permits Sparsity.Share, Pattern {

  /** The share of zeros. */
  double share();

  /**
   * How many weights become zero, for people.
   *
   * @param among which weights a share is taken of
   */
  String describe(String among);

  /** Refuses a linear that does not divide into whole groups of a pattern. */
  void check(long in);

  /**
   * A share of the weights, wherever they are.
   *
   * @param share in {@code [0, 1)}
   */
  record Share(double share) implements Sparsity {
    public Share {
      if (!(share >= 0 && share < 1)) {
        throw new InputException(
            "sparsity = %s: give a share from 0 up to, not including, 1.".formatted(share));
      }
    }

    @Override
    public String describe(String among) {
      return "%s of the weights of %s become zero".formatted(share == 0.5 ? "half" : this, among);
    }

    @Override
    public void check(long in) {
      // any width will do
    }

    @Override
    public String toString() {
      return "%s %%".formatted(Math.round(share * 10_000) / 100.0);
    }
  }

  /** Refuses settings that give both, or values out of range. */
  static void check(Optional<Double> share, Optional<Pattern> pattern) {
    if (share.isPresent() && pattern.isPresent()) {
      throw new InputException(
          "sparsity = %s and pattern = \"%s\": give one of them; null takes back one that comes from defaults."
              .formatted(share.get(), pattern.get()));
    }
    share.ifPresent(Share::new);
  }

  /**
   * The one that is given.
   *
   * @throws InputException when none is
   */
  static Sparsity of(Optional<Double> share, Optional<Pattern> pattern) {
    return pattern
        .<Sparsity>map(given -> given)
        .or(() -> share.map(Share::new))
        .orElseThrow(
            () ->
                new InputException(
                    "Nothing says how much to prune. Set sparsity = 0.5, or pattern = \"2:4\"."));
  }
}
