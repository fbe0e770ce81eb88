package io.shardpress.jobs.plan;

import io.shardpress.jobs.spark.TaskMemory;

/**
 * The memory of a task.
 *
 * @param what the layer or stage that it works on
 */
public record TaskNeed(String what, TaskMemory memory) {}
