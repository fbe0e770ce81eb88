package io.shardpress.jobs.simulate;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.UsageException;
import io.shardpress.jobs.costs.RunCosts;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Makes the workload of a larger (or smaller) model or of other amounts of calibration data out of
 * a recorded one.
 *
 * <p>A run that goes block by block repeats its blocks: the first one once, those after it in turn.
 * In any other run, and outside of the blocks, tasks become more, or dearer, in proportion.
 *
 * @param blocks of the other model; empty: as recorded
 * @param sequences of the other data; empty: as recorded
 */
public record WhatIf(OptionalInt blocks, OptionalInt sequences) {

  /** The run as it was. */
  public static final WhatIf NOTHING = new WhatIf(OptionalInt.empty(), OptionalInt.empty());

  private static final int MOST_BLOCKS = 10_000;
  private static final int MOST_TASKS = 1_000_000;
  private static final String CALIBRATE = "calibrate";
  private static final String COMPRESS = "compress";

  public WhatIf {
    requireWithin("--blocks", blocks, MOST_BLOCKS);
    requireWithin("--sequences", sequences, Integer.MAX_VALUE);
  }

  private static void requireWithin(String option, OptionalInt value, int most) {
    if (value.isPresent() && (value.getAsInt() < 1 || value.getAsInt() > most)) {
      throw new UsageException(
          "%s is %d; give a number from 1 to %d.".formatted(option, value.getAsInt(), most));
    }
  }

  /** The workload of the other run. */
  Workload apply(RunCosts costs) {
    List<Stretch> recorded = Workload.of(costs).stretches();
    double moreBlocks = ratio("blocks", blocks, costs.blocks());
    double moreSequences = ratio("sequences", sequences, costs.sequences());
    List<Stretch> stretches = new ArrayList<>();
    if (blocks.isPresent() && isBlockByBlock(recorded)) {
      int first = indexOf(recorded, CALIBRATE);
      int end = 1 + Math.max(lastIndexOf(recorded, CALIBRATE), lastIndexOf(recorded, COMPRESS));
      List<Stretch> turns = repeated(turns(recorded.subList(first, end)), costs.blocks());
      stretches.addAll(grown(recorded.subList(0, first), moreBlocks, moreSequences));
      stretches.addAll(grown(turns, 1, moreSequences));
      stretches.addAll(grown(recorded.subList(end, recorded.size()), moreBlocks, moreSequences));
    } else {
      stretches.addAll(grown(recorded, moreBlocks, moreSequences));
    }
    return new Workload(stretches, costs.coresPerTask());
  }

  private static double ratio(String what, OptionalInt wanted, int recorded) {
    if (wanted.isEmpty()) {
      return 1;
    }
    if (recorded == 0) {
      throw new InputException(
          "The recorded run has no %1$s to make %2$d of. Record a run that has, or leave out --%1$s."
              .formatted(what, wanted.getAsInt()));
    }
    return (double) wanted.getAsInt() / recorded;
  }

  private static boolean isBlockByBlock(List<Stretch> stretches) {
    return stretches.stream()
        .flatMap(stretch -> stretch.jobs().stream())
        .anyMatch(job -> job.kind().equals(Growth.ONE_BLOCK));
  }

  /** What belongs to each block, and to the head if it has a turn of its own. */
  private static List<List<Stretch>> turns(List<Stretch> stretches) {
    List<List<Stretch>> turns = new ArrayList<>();
    for (Stretch stretch : stretches) {
      if (stretch.stage().equals(CALIBRATE)) {
        turns.add(new ArrayList<>());
      }
      turns.get(turns.size() - 1).add(stretch);
    }
    return turns;
  }

  private List<Stretch> repeated(List<List<Stretch>> turns, int recorded) {
    if (recorded < 2 || turns.size() < recorded || turns.size() > recorded + 1) {
      throw new InputException(
          "The recorded run calibrates %d times for %d blocks, so that it does not show what one more block costs. Record a run of two or more blocks from its beginning to its end, or leave out --blocks."
              .formatted(turns.size(), recorded));
    }
    List<Stretch> stretches = new ArrayList<>(turns.get(0));
    for (int block = 1; block < blocks.getAsInt(); block++) {
      stretches.addAll(turns.get(1 + (block - 1) % (recorded - 1)));
    }
    turns.subList(recorded, turns.size()).forEach(stretches::addAll);
    return stretches;
  }

  private static List<Stretch> grown(
      List<Stretch> stretches, double moreBlocks, double moreSequences) {
    return stretches.stream()
        .map(
            stretch ->
                new Stretch(
                    stretch.stage(),
                    stretch.driverSeconds()
                        * (stretch.stage().equals(Workload.TOKENIZE) ? 1 : moreBlocks),
                    stretch.jobs().stream()
                        .map(job -> grown(job, moreBlocks, moreSequences))
                        .toList()))
        .toList();
  }

  private static Job grown(Job job, double moreBlocks, double moreSequences) {
    return Growth.ofKind(job.kind())
        .map(
            growth ->
                new Job(
                    job.description(),
                    job.kind(),
                    resampled(
                        job.seconds(),
                        factor(growth.count(), moreBlocks, moreSequences),
                        factor(growth.cost(), moreBlocks, moreSequences))))
        .orElse(job);
  }

  private static double factor(Growth.By by, double moreBlocks, double moreSequences) {
    return switch (by) {
      case NOTHING -> 1;
      case BLOCKS -> moreBlocks;
      case SEQUENCES -> moreSequences;
    };
  }

  /** {@code more} times as many tasks, in the same order, each {@code dearer} times as dear. */
  private static List<Double> resampled(List<Double> seconds, double more, double dearer) {
    if (seconds.size() * more > MOST_TASKS) {
      throw new UsageException(
          "One job would have %.0f tasks; at most %d are replayed. Give fewer --blocks or --sequences."
              .formatted(seconds.size() * more, MOST_TASKS));
    }
    int count = (int) Math.max(1, Math.round(seconds.size() * more));
    return IntStream.range(0, count)
        .mapToObj(i -> dearer * seconds.get((int) ((long) i * seconds.size() / count)))
        .toList();
  }

  private static int indexOf(List<Stretch> stretches, String stage) {
    return stretches.stream().map(Stretch::stage).toList().indexOf(stage);
  }

  private static int lastIndexOf(List<Stretch> stretches, String stage) {
    return stretches.stream().map(Stretch::stage).toList().lastIndexOf(stage);
  }
}
