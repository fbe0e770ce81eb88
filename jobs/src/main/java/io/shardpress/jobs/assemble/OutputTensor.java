package io.shardpress.jobs.assemble;

import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.TensorSpec;
import java.io.Serializable;

/**
 * A tensor of the published checkpoint and the safetensors file that holds its bytes already: a
 * shard of the source, or a layer's result.
 */
public record OutputTensor(TensorSpec spec, Location file) implements Serializable {}
