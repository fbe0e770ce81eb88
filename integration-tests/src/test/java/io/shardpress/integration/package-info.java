/** The whole program, from the command line to the published files, on real checkpoints. */
package io.shardpress.integration;
