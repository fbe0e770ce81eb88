package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.io.Serializable;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The settings of one algorithm: a record whose component names, in kebab-case, are the keys of its
 * section in a recipe. {@link Algorithm} lists them all; jobs know no others than this interface.
 */
public sealed interface Settings extends Serializable
    permits Rtn, Gptq, Pruner, MagnitudeCut, Refit {

  /** What a step does, which decides what may follow it. */
  enum Role {
    /** Sets weights to zero; later steps keep them there. */
    PRUNE,
    /** Rounds weights to a grid: at most once, and nothing is pruned behind it. */
    QUANTIZE,
    /** Both in one sweep. */
    PRUNE_AND_QUANTIZE,
    /** Improves what the step before left. */
    REFINE
  }

  Role role();

  /**
   * How the layers that these settings make are stored; known before any work.
   *
   * @param before how the step before left them
   */
  Storage storage(Storage before);

  /**
   * What the algorithm does to a linear, for people: a clause such as "weights are rounded to 4
   * bits".
   *
   * @param before how the step before left it
   */
  String describe(Storage before);

  /** The statistics that {@link #prepare} cannot do without. */
  StatisticsNeed needs();

  /** The data-free settings on the same grid, for inputs that no token reached. */
  Settings withoutStatistics();

  /** What has to be known of all the step's linears before any of them is solved. */
  default Optional<Survey> survey() {
    return Optional.empty();
  }

  /**
   * Does the work that all linears reading one input share, such as factoring its Gram. The solver
   * reads {@code statistics} while it lives: close it first.
   *
   * @throws io.shardpress.common.error.InputException when statistics that are needed are missing
   */
  Solver prepare(Optional<InputStatistics> statistics);

  /**
   * Predicted peak memory of solving {@code rows} rows of a linear with {@code in} inputs.
   *
   * @param weightType the type of the weight in its checkpoint
   * @param threads threads that work on one call
   */
  SolveMemory memory(long rows, long in, DType weightType, int threads);

  /** Prepares, solves one linear, closes; see {@link Solver#compress}. */
  default LayerResult compress(
      String module, INDArray weight, DType weightType, Optional<InputStatistics> statistics) {
    try (Solver solver = prepare(statistics)) {
      return solver.compress(module, weight, weightType);
    }
  }
}
