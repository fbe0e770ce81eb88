/**
 * Statistics as a dataset: kept under a content address, found again by any run to which they
 * apply.
 */
package io.shardpress.jobs.statistics;
