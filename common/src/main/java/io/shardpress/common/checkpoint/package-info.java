/** Model checkpoints as folders: configuration, shards and their index, files that go along. */
package io.shardpress.common.checkpoint;
