package io.shardpress.jobs.model;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Dequantized weights of the modules that are compressed. */
public interface ModuleWeights {
  boolean contains(String module);

  /** F32 {@code [out, in]}; the caller closes it. */
  INDArray matrix(String module);
}
