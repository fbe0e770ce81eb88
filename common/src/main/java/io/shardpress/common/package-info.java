/** What every module shares: tensors and checkpoints as bytes, storage, settings, errors. */
package io.shardpress.common;
