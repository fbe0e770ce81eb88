package io.shardpress.jobs.spark;

/**
 * What a run's record says of the Spark application.
 *
 * @param id Spark's name for it
 * @param driver the host that it is driven from
 * @param threadsPerTask on which a task may compute
 * @param kernels what its processes have computed with so far
 * @param memory how large its processes have become so far
 */
public record Application(
    String id, String driver, int threadsPerTask, KernelsUsed kernels, MemoryUsed memory) {}
