package io.shardpress.jobs.report;

import java.util.List;
import java.util.Map;

/**
 * What a run computed with.
 *
 * @param wanted the recipe's {@code run.kernels}
 * @param threadsPerTask threads that a task computes on
 * @param hosts by the description of their kernels (provider, version, instruction set, threads per
 *     call); the driver's among them
 */
public record KernelRecord(String wanted, int threadsPerTask, Map<String, List<String>> hosts) {}
