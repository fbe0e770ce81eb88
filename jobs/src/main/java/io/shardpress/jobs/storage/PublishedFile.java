package io.shardpress.jobs.storage;

import java.io.Serializable;

/**
 * One file of a published checkpoint.
 *
 * @param sha256 of all its bytes, in hexadecimal
 */
public record PublishedFile(String name, long bytes, String sha256) implements Serializable {}
