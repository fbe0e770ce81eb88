package io.shardpress.jobs.assemble;

import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.TensorSpec;
import java.io.Serializable;
import java.util.List;

/**
 * A tensor of the published checkpoint and where its bytes are now.
 *
 * @param pieces one below the other they are the tensor
 */
public record OutputTensor(TensorSpec spec, List<Piece> pieces) implements Serializable {

  /**
   * A tensor of the same name in a safetensors file: a shard of the source, or a layer's result.
   *
   * @param spec all of the output's tensor, or some rows of it
   */
  public record Piece(TensorSpec spec, Location file) implements Serializable {}

  public OutputTensor {
    pieces = List.copyOf(pieces);
    if (pieces.stream().mapToLong(piece -> piece.spec().bytes()).sum() != spec.bytes()) {
      throw new IllegalArgumentException("The pieces of " + spec + " do not make it up: " + pieces);
    }
  }

  /** One that a single file holds whole. */
  static OutputTensor whole(TensorSpec spec, Location file) {
    return new OutputTensor(spec, List.of(new Piece(spec, file)));
  }
}
