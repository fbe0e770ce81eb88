/**
 * Publishes a compressed checkpoint: weight files under their final names, then the small files,
 * and {@code _SUCCESS.json} last.
 */
package io.shardpress.jobs.assemble;
