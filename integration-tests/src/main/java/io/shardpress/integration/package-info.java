/** Tools that measure Shardpress on real checkpoints. */
package io.shardpress.integration;
