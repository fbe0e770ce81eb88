/**
 * Collects statistics of the inputs of linears: tasks run blocks forward over chunks of sequences,
 * partial sums go to storage, and one task per tile of a Gram folds them in chunk order.
 */
package io.shardpress.jobs.calibrate;
