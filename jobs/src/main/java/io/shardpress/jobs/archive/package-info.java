/** Checkpoints in a smaller, lossless form for storage, and back. */
package io.shardpress.jobs.archive;
