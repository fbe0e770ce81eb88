package io.shardpress.operators.encoding;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.CompressedWeight;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.compression.Storage;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One target format: pure functions over one linear's tensors. Names and shapes are known before
 * any work is done.
 */
public sealed interface Encoder extends Serializable permits CompressedTensors, DequantizedWeights {

  /** Names, types and shapes of the tensors that stand for a linear. */
  List<TensorSpec> plan(StoredLinear linear, Storage storage);

  /** How such a linear is written, for people. */
  String describe(StoredLinear linear, Storage storage);

  /** The tensors of {@link #plan}, in its order. */
  List<RawTensor> encode(StoredLinear linear, CompressedWeight weight);

  /**
   * The weight that a runtime will see.
   *
   * @param tensors by full name; others may be there
   * @throws io.shardpress.common.error.InputException when one is missing or has another shape
   */
  CompressedWeight read(StoredLinear linear, Storage storage, Map<String, RawTensor> tensors);

  /** {@link #read} as F32 or BF16 {@code [out, in]}; the caller closes it. */
  default INDArray decode(StoredLinear linear, Storage storage, Map<String, RawTensor> tensors) {
    return read(linear, storage, tensors).matrix();
  }

  /**
   * The published {@code config.json}.
   *
   * @param source the original's configuration, left unchanged
   * @param schemes the scheme of each module that is stored as codes
   * @param uncompressed linears that a reader would look for in vain
   */
  ObjectNode config(ObjectNode source, Map<String, Scheme> schemes, Set<String> uncompressed);
}
