package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.List;
import java.util.Optional;

/**
 * Settings of SparseGPT (Frantar and Alistarh, "SparseGPT: Massive Language Models Can Be
 * Accurately Pruned in One-Shot", 2023): GPTQ's sweep, in which the weights with the smallest
 * {@code w²/U_jj²} become zero and the columns to come make up for them. With {@code bits} the
 * others are rounded in the same sweep. Of a linear that is solved in slices of rows, weights are
 * compared within a slice.
 *
 * @param sparsity {@code sparsity}: the share of zeros, of every {@code block-size} columns
 * @param pattern {@code pattern}: n:m instead of a share
 * @param budget {@code budget}: {@code uniform}, {@code owl}, or a section with {@code method},
 *     {@code multiple}, {@code spread}
 * @param bits {@code bits}: 2 to 8; absent to leave the weights that stay unrounded
 * @param symmetric {@code symmetric}: no zero points
 * @param levels {@code levels}: {@code full} or {@code zero-aligned}
 * @param groupSize {@code group-size}: columns that share a scale, or {@code channel}
 * @param clip {@code clip}: {@code mse}, {@code absmax}, {@code sawb}, or a section
 * @param damping {@code damping}: added to the Gram's diagonal, as a share of its mean
 * @param dampingLadder {@code damping-ladder}: factors on the damping, tried in turn
 * @param blockSize {@code block-size}: columns between two updates of all later columns
 * @param nonfinite {@code nonfinite}: {@code fail} or {@code copy-unchanged}
 */
public record SparseGpt(
    Optional<Double> sparsity,
    Optional<Pattern> pattern,
    Budget budget,
    Optional<Integer> bits,
    boolean symmetric,
    Levels levels,
    GroupSize groupSize,
    Clip clip,
    double damping,
    List<Double> dampingLadder,
    int blockSize,
    NonfinitePolicy nonfinite)
    implements Pruner {

  public SparseGpt {
    Sparsity.check(sparsity, pattern);
    dampingLadder = List.copyOf(dampingLadder);
    new Ladder(damping, dampingLadder);
    ColumnSweep.checkBlockSize(blockSize);
    if (clip.method() == Clip.Method.BEST) {
      throw new InputException(
          "clip = best solves a layer several times, each with a mask of its own. Choose mse,"
              + " absmax or sawb for sparsegpt.");
    }
    bits.ifPresent(width -> clip.check(new Grid(width, symmetric, levels)));
  }

  /** A share of the weights. */
  public static SparseGpt of(double sparsity) {
    return of(Optional.of(sparsity), Optional.empty());
  }

  /** n:m. */
  public static SparseGpt of(Pattern pattern) {
    return of(Optional.empty(), Optional.of(pattern));
  }

  private static SparseGpt of(Optional<Double> sparsity, Optional<Pattern> pattern) {
    return new SparseGpt(
        sparsity,
        pattern,
        Budget.UNIFORM,
        Optional.empty(),
        true,
        Levels.FULL,
        GroupSize.of(128),
        Clip.MSE,
        0.02,
        List.of(1.0, 10.0, 100.0),
        128,
        NonfinitePolicy.FAIL);
  }

  /** The same with weights rounded in the sweep, on a symmetric grid. */
  public SparseGpt quantized(int width, GroupSize groups, Levels used) {
    return new SparseGpt(
        sparsity,
        pattern,
        budget,
        Optional.of(width),
        true,
        used,
        groups,
        clip,
        damping,
        dampingLadder,
        blockSize,
        nonfinite);
  }

  @Override
  public Sparsity amount() {
    return Sparsity.of(sparsity, pattern);
  }

  @Override
  public String describe(Storage before) {
    String among = "every block of %d columns".formatted(blockSize);
    String rounded =
        scheme()
            .map(
                used ->
                    "; what stays is rounded in the same sweep: %s; %s"
                        .formatted(used.describe(), clip.describe(used.grid())))
            .orElse("");
    return "%s, those that cost least, and the others make up for them%s%s"
        .formatted(amount().describe(among), budget.describe(), rounded);
  }

  @Override
  public SparseGpt withSparsity(double share) {
    return new SparseGpt(
        Optional.of(share),
        Optional.empty(),
        budget,
        bits,
        symmetric,
        levels,
        groupSize,
        clip,
        damping,
        dampingLadder,
        blockSize,
        nonfinite);
  }

  Ladder ladder() {
    return new Ladder(damping, dampingLadder);
  }

  /** What the weights are rounded to, where they are. */
  Optional<Scheme> scheme() {
    return bits.map(
        width ->
            new Scheme(
                new Grid(width, symmetric, levels),
                groupSize,
                ColumnOrder.NATURAL,
                Activations.NONE));
  }

  @Override
  public Role role() {
    return bits.isPresent() ? Role.PRUNE_AND_QUANTIZE : Role.PRUNE;
  }

  @Override
  public Storage storage(Storage before) {
    return scheme().map(Storage.class::cast).orElse(Storage.PLAIN);
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.GRAM;
  }

  /** The same sweep without feedback: pruning by magnitude, and rounding to nearest. */
  @Override
  public SparseGpt withoutStatistics() {
    return this;
  }

  @Override
  public Optional<Survey> survey() {
    return Pruner.survey(this, budget);
  }

  @Override
  public SolveMemory memory(long rows, long in, DType weightType, int threads) {
    return SweepMemory.of(this, rows, in, weightType, threads);
  }

  @Override
  public Solver prepare(Optional<InputStatistics> statistics) {
    if (statistics.isEmpty()) {
      return new UnseenSolver(this);
    }
    InputStatistics needed =
        statistics
            .filter(found -> found.gram().isPresent())
            .orElseThrow(
                () ->
                    new InputException(
                        "sparsegpt needs the Gram of its input, and there is none. Calibrate with"
                            + " Grams, or choose wanda or magnitude."));
    return SparseGptSolver.prepare(this, needed);
  }

  private Object writeReplace() {
    return RecordProxy.of(this);
  }
}
