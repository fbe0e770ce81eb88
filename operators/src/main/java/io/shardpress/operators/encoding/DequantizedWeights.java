package io.shardpress.operators.encoding;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.QuantizedWeight;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The dequantized weight in the source's type and place: a plain checkpoint that shows the quality
 * of a compression to any tool, at the original size.
 */
public record DequantizedWeights() implements Encoder {

  @Override
  public List<TensorSpec> plan(StoredLinear linear, Scheme scheme) {
    String name = linear.module() + ".weight";
    return List.of(
        linear.layout() == Layout.OUT_IN
            ? TensorSpec.of(name, linear.type(), linear.rows(), linear.in())
            : TensorSpec.of(name, linear.type(), linear.in(), linear.rows()));
  }

  @Override
  public List<RawTensor> encode(StoredLinear linear, QuantizedWeight weight) {
    TensorSpec spec = plan(linear, weight.scheme()).get(0);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(spec.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    try (INDArray dense = weight.dequantize();
        INDArray stored =
            linear.layout() == Layout.OUT_IN ? Floats.copy(dense) : Floats.transpose(dense)) {
      float[] row = new float[Floats.columns(stored)];
      for (int i = 0; i < Floats.rows(stored); i++) {
        Floats.readRow(stored, i, row);
        FloatCodec.encode(linear.type(), row, 0, row.length, bytes);
      }
    }
    return List.of(new RawTensor(spec, bytes.flip()));
  }

  @Override
  public INDArray decode(StoredLinear linear, Scheme scheme, Map<String, RawTensor> tensors) {
    RawTensor stored = Tensors.require(tensors, plan(linear, scheme).get(0));
    INDArray decoded = Floats.decode(stored);
    if (linear.layout() == Layout.OUT_IN) {
      return decoded;
    }
    try (decoded) {
      return Floats.transpose(decoded);
    }
  }

  @Override
  public ObjectNode config(
      ObjectNode source, Map<String, Scheme> schemes, Set<String> uncompressed) {
    return source.deepCopy();
  }
}
