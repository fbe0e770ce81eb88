package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.DecoderDescription;

/** A model family: how its configuration becomes a description. */
interface Family {

  /** The {@code model_type} in config.json. */
  String modelType();

  /** What config.json asks for is not supported: {@code InputException}. */
  DecoderDescription describe(ModelConfig config, TensorNames tensors);
}
