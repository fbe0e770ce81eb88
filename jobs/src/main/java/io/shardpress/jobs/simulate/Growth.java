package io.shardpress.jobs.simulate;

import java.util.Map;
import java.util.Optional;

/**
 * How the tasks of a job grow with the model and with the calibration data.
 *
 * @param count what the number of tasks is proportional to
 * @param cost what the seconds of each are proportional to
 * @param finer the setting that cuts the same work into more tasks, if there is one
 */
record Growth(By count, By cost, Optional<String> finer) {

  /** What grows. */
  enum By {
    NOTHING,
    BLOCKS,
    SEQUENCES
  }

  /** The kind of the tasks that take a chunk of sequences to one block, in a run block by block. */
  static final String ONE_BLOCK = "ObserveStage";

  private static final Optional<String> CHUNKS = Optional.of("a smaller calibration.chunk-tokens");
  private static final Optional<String> FILES = Optional.of("a smaller output.max-shard-size");
  private static final Optional<String> WINDOWS = Optional.of("a smaller evaluation.chunk-tokens");

  /** By the kind of the tasks, as their work names it. */
  private static final Map<String, Growth> OF_KIND =
      Map.of(
          "HashPiece",
          new Growth(By.BLOCKS, By.NOTHING, Optional.empty()),
          ONE_BLOCK,
          new Growth(By.SEQUENCES, By.NOTHING, CHUNKS),
          "ObserveStages",
          new Growth(By.SEQUENCES, By.BLOCKS, CHUNKS),
          "FoldTile",
          new Growth(By.BLOCKS, By.SEQUENCES, Optional.empty()),
          "LookAtSlices",
          new Growth(By.BLOCKS, By.NOTHING, Optional.empty()),
          "SolveSlices",
          new Growth(By.BLOCKS, By.NOTHING, Optional.empty()),
          "AssembleShard",
          new Growth(By.BLOCKS, By.NOTHING, FILES),
          "ScoreChunk",
          new Growth(By.NOTHING, By.BLOCKS, WINDOWS));

  /** Empty for tasks that nothing is known of. */
  static Optional<Growth> ofKind(String kind) {
    return Optional.ofNullable(OF_KIND.get(kind));
  }
}
