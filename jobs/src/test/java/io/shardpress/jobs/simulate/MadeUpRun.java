package io.shardpress.jobs.simulate;

import io.shardpress.jobs.costs.JobCosts;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.costs.StageCosts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Recorded runs of round numbers, on one executor of one core. Between stages, before the first job
 * of a stage and after its last one the driver takes a second each.
 */
final class MadeUpRun {
  private final List<StageCosts> stages = new ArrayList<>();
  private final int blocks;
  private final int sequences;
  private int coresPerExecutor = 1;
  private double now;

  MadeUpRun(int blocks, int sequences) {
    this.blocks = blocks;
    this.sequences = sequences;
  }

  /** GPTQ block by block: chunks of 1 s, sums of 0.5 s and 0.25 s, layers of 4 s and 2 s. */
  static RunCosts sequential(int blocks, int chunks) {
    MadeUpRun run = new MadeUpRun(blocks, chunks).stage("plan").stage("tokenize");
    for (int block = 0; block < blocks; block++) {
      run.stage(
          "calibrate",
          job("calibrate: stage " + (block + 1), "ObserveStage", same(chunks, 1)),
          job("calibrate: add", "FoldTile", List.of(0.5, 0.25)));
      run.stage("compress", job("compress stage " + (block + 1), "SolveSlices", List.of(4.0, 2.0)));
    }
    return run.stage("assemble", job("assemble 2 files", "AssembleShard", List.of(1.0, 1.0)))
        .costs();
  }

  /** The same in one pass: a chunk goes through all blocks. */
  static RunCosts onePass(int blocks, int chunks) {
    return new MadeUpRun(blocks, chunks)
        .stage("plan")
        .stage("tokenize")
        .stage(
            "calibrate",
            job("calibrate: dense model", "ObserveStages", same(chunks, blocks)),
            job("calibrate: add", "FoldTile", same(blocks, 0.5)))
        .stage("compress", job("compress all layers", "SolveSlices", same(blocks, 4)))
        .stage("evaluate", job("evaluate out", "ScoreChunk", same(3, blocks)))
        .costs();
  }

  MadeUpRun coresPerExecutor(int count) {
    coresPerExecutor = count;
    return this;
  }

  MadeUpRun stage(String name, JobCosts... jobs) {
    now += 1;
    double start = now;
    List<JobCosts> placed = new ArrayList<>();
    now += 1;
    for (JobCosts job : jobs) {
      placed.add(
          new JobCosts(
              job.description(), job.kind(), now, now + job.end(), job.seconds(), job.executors()));
      now += job.end();
    }
    now += 1;
    stages.add(new StageCosts(name, start, now, placed));
    return this;
  }

  RunCosts costs() {
    return new RunCosts(
        RunCosts.FORMAT,
        "run",
        blocks,
        sequences,
        coresPerExecutor,
        1,
        List.of("driver@here"),
        now,
        stages);
  }

  /** A job that one core works off without a pause. */
  static JobCosts job(String description, String kind, List<Double> seconds) {
    double work = seconds.stream().mapToDouble(Double::doubleValue).sum();
    return new JobCosts(
        description, kind, 0, work, seconds, Collections.nCopies(seconds.size(), 0));
  }

  static List<Double> same(int count, double seconds) {
    return Collections.nCopies(count, seconds);
  }
}
