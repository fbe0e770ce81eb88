package io.shardpress.jobs.model;

import io.shardpress.operators.model.Precision;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Dequantized weights of the modules that are compressed. */
public interface ModuleWeights {
  boolean contains(String module);

  /** {@code [out, in]} in that precision; the caller closes it. */
  INDArray matrix(String module, Precision precision);
}
