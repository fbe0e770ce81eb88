package io.shardpress.jobs.recipe;

import java.util.Optional;

/**
 * The recipe's {@code output} section.
 *
 * @param uri where the checkpoint is published
 * @param maxShardSize tensor data per file; a larger tensor gets a file of its own
 */
public record OutputSettings(Optional<String> uri, OutputFormat format, DataSize maxShardSize) {}
