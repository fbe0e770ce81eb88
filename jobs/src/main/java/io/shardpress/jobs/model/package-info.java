/** Model weights as the operators want them, read tensor by tensor from checkpoints on storage. */
package io.shardpress.jobs.model;
