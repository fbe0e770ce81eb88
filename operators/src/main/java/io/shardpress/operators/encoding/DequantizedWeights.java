package io.shardpress.operators.encoding;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.CompressedWeight;
import io.shardpress.operators.compression.DenseWeight;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.compression.Storage;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Weights as numbers in the source's type and place, dequantized where they are codes: a plain
 * checkpoint that shows the quality of a compression to any tool, at the original size. What is
 * pruned and not quantized looks like this in any format.
 */
public record DequantizedWeights() implements Encoder {

  @Override
  public List<TensorSpec> plan(StoredLinear linear, Storage storage) {
    String name = linear.module() + ".weight";
    return List.of(
        linear.layout() == Layout.OUT_IN
            ? TensorSpec.of(name, linear.type(), linear.rows(), linear.in())
            : TensorSpec.of(name, linear.type(), linear.in(), linear.rows()));
  }

  @Override
  public String describe(StoredLinear linear, Storage storage) {
    return storage instanceof Scheme scheme
        ? "dense %s, the values that its codes stand for (%s)".formatted(linear.type(), scheme)
        : "dense %s, zeros like any number".formatted(linear.type());
  }

  @Override
  public List<RawTensor> encode(StoredLinear linear, CompressedWeight weight) {
    TensorSpec spec = plan(linear, weight.storage()).get(0);
    boolean asItIs =
        weight instanceof DenseWeight dense
            && dense.type() == linear.type()
            && linear.layout() == Layout.OUT_IN;
    return List.of(
        asItIs ? ((DenseWeight) weight).tensor(spec.name()) : encode(spec, linear, weight));
  }

  private static RawTensor encode(TensorSpec spec, StoredLinear linear, CompressedWeight weight) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(spec.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    if (linear.layout() == Layout.OUT_IN) {
      float[] row = new float[weight.in()];
      for (int i = 0; i < weight.out(); i++) {
        weight.readRow(i, row);
        FloatCodec.encode(linear.type(), row, 0, row.length, bytes);
      }
    } else {
      try (INDArray matrix = weight.matrix();
          INDArray turned = Floats.transpose(matrix)) {
        float[] row = new float[Floats.columns(turned)];
        for (int i = 0; i < Floats.rows(turned); i++) {
          Floats.readRow(turned, i, row);
          FloatCodec.encode(linear.type(), row, 0, row.length, bytes);
        }
      }
    }
    return new RawTensor(spec, bytes.flip());
  }

  @Override
  public CompressedWeight read(
      StoredLinear linear, Storage storage, Map<String, RawTensor> tensors) {
    RawTensor stored = Tensors.require(tensors, plan(linear, storage).get(0));
    if (linear.layout() == Layout.OUT_IN) {
      return DenseWeight.of(stored);
    }
    try (INDArray turned = Floats.load(stored);
        INDArray matrix = Floats.transpose(turned)) {
      return DenseWeight.of(matrix, stored.spec().dtype());
    }
  }

  @Override
  public ObjectNode config(
      ObjectNode source, Map<String, Scheme> schemes, Set<String> uncompressed) {
    return source.deepCopy();
  }
}
