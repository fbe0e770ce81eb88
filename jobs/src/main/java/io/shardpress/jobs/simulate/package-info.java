/**
 * How long a recorded run would take on other clusters: its tasks' costs replayed by a scheduler
 * without Spark.
 */
package io.shardpress.jobs.simulate;
