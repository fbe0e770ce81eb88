/** Checkpoints made for measuring and testing. */
package io.shardpress.integration.models;
