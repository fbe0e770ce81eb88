package io.shardpress.jobs.report;

/**
 * Bytes of tensor data before and after.
 *
 * @param sourceBytes of the source checkpoint
 * @param outputBytes of the published one
 * @param parameters elements of the source's float tensors
 * @param bitsPerWeight bits of the published files per parameter: embeddings, scales and all
 * @param linearBitsPerWeight bits per weight of the compressed linears alone
 */
public record Sizes(
    long sourceBytes,
    long outputBytes,
    long parameters,
    double bitsPerWeight,
    double linearBitsPerWeight) {}
