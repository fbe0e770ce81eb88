package io.shardpress.operators.encoding;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.model.LinearModule.Layout;
import java.io.Serializable;

/**
 * A linear as its source checkpoint stores it, or some neighbouring rows of it: tensors of rows
 * then stand below each other in the tensors of the whole, unless they are the same for both.
 *
 * @param module name, to which a format adds its own suffixes
 * @param out output features of the whole linear
 * @param in input features
 * @param type element type of the source's weight, which scales are stored in
 * @param layout orientation of the source's weight
 * @param rows output features that are meant
 */
public record StoredLinear(String module, long out, long in, DType type, Layout layout, long rows)
    implements Serializable {

  /** The whole linear. */
  public StoredLinear(String module, long out, long in, DType type, Layout layout) {
    this(module, out, in, type, layout, out);
  }

  /** Some rows of it: a multiple of 32, or the last ones. */
  public StoredLinear rows(long count) {
    return new StoredLinear(module, out, in, type, layout, count);
  }
}
