/**
 * Calibration and evaluation data: read once as a Spark job, tokenized, cut into windows and kept
 * as Arrow chunk files whose borders and bytes depend on the data alone; and the activation shards
 * that travel between blocks.
 */
package io.shardpress.jobs.data;
