/** The little that all jobs need from Spark: a session, and running independent tasks. */
package io.shardpress.jobs.spark;
