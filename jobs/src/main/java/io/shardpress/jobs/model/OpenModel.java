package io.shardpress.jobs.model;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.TensorRows;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.jobs.data.ModelTokens;
import io.shardpress.operators.encoding.QuantizationConfig;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.Architectures;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A checkpoint with its headers at hand, dense or compressed by us, and its architecture where the
 * family is known.
 */
public record OpenModel(Checkpoint checkpoint, Optional<Architecture> architecture) {
  private static final String PACKED = ".weight_packed";

  /** Finds the architecture of an open checkpoint. */
  public static OpenModel of(Checkpoint checkpoint) {
    Set<String> dense = new LinkedHashSet<>(checkpoint.names());
    // A compressed module has no .weight; the family wants to know the module all the same.
    checkpoint.names().stream()
        .filter(name -> name.endsWith(PACKED))
        .forEach(name -> dense.add(name.substring(0, name.length() - "_packed".length())));
    return new OpenModel(checkpoint, Architectures.of(checkpoint.config(), dense));
  }

  /** Whether weights are stored as codes and scales. */
  public boolean isCompressed() {
    return checkpoint.config().quantization().isPresent();
  }

  /**
   * @throws InputException when the family is not one that can be run
   */
  public Architecture requireArchitecture() {
    return architecture.orElseThrow(
        () ->
            new InputException(
                "%s is of the family '%s', which Shardpress cannot run; it can run %s. Data-free compression (rtn) works without running the model."
                    .formatted(
                        checkpoint.location(),
                        checkpoint.config().modelType(),
                        String.join(", ", Architectures.modelTypes()))));
  }

  /** What the model asks of its tokens. */
  public ModelTokens tokens() {
    Architecture known = requireArchitecture();
    OptionalInt bos = checkpoint.config().optionalInteger("bos_token_id");
    return new ModelTokens(checkpoint.location(), known.vocabulary(), known.contextLength(), bos);
  }

  /** Weights of the checkpoint for a forward pass in F32. */
  public WeightSource weights() {
    return weights(Precision.F32);
  }

  /** Weights of the checkpoint as a forward pass of that precision wants them. */
  public WeightSource weights(Precision precision) {
    StoredWeights stored = new StoredWeights(checkpoint, precision);
    return checkpoint
        .config()
        .quantization()
        .<WeightSource>map(
            settings ->
                new CompressedWeights(
                    new PublishedModules(checkpoint, QuantizationConfig.read(settings.json())),
                    layouts(),
                    stored))
        .orElse(stored);
  }

  /** The same weights with some modules as they are after compression. */
  public WeightSource with(ModuleWeights compressed, Precision precision) {
    return new CompressedWeights(compressed, layouts(), weights(precision));
  }

  /**
   * Rows {@code [first, first + count)} of a linear's dense weight {@code [out, in]}, F32 or BF16;
   * the caller closes it.
   *
   * @param layout of the stored weight; only all rows of one that is {@code IN_OUT} can be had
   */
  public INDArray denseWeight(String tensor, Layout layout, long first, long count) {
    TensorSource stored = checkpoint.source(tensor);
    if (layout == Layout.OUT_IN) {
      return Floats.load(new TensorRows(stored, first, count));
    }
    if (count != stored.spec().shape().get(1)) {
      throw new IllegalArgumentException("Some rows of " + stored.spec() + ", which has columns");
    }
    try (INDArray columns = Floats.load(stored)) {
      return Floats.transpose(columns);
    }
  }

  private Map<String, Layout> layouts() {
    Map<String, Layout> layouts = new HashMap<>();
    architecture.ifPresent(
        known -> known.linears().forEach(linear -> layouts.put(linear.name(), linear.layout())));
    return layouts;
  }
}
