/**
 * Plans, calibrates, compresses, assembles and evaluates on Spark. The driver holds metadata only:
 * a task carries names, reads what it needs from the store, writes its result back and returns
 * about a kilobyte.
 */
package io.shardpress.jobs;
