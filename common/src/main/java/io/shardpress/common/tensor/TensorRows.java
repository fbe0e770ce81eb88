package io.shardpress.common.tensor;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Neighbouring rows of a stored tensor, as a tensor of the same name: {@code [count, …]}.
 *
 * @param whole a tensor of at least one dimension whose rows begin at byte borders
 * @param first row along the first dimension
 * @param count number of rows
 */
public record TensorRows(TensorSource whole, long first, long count) implements TensorSource {
  public TensorRows {
    List<Long> shape = whole.spec().shape();
    if (shape.isEmpty() || first < 0 || count < 0 || first + count > shape.get(0)) {
      throw new IndexOutOfBoundsException(
          "Rows %d to %d of %s".formatted(first, first + count, whole.spec()));
    }
  }

  @Override
  public TensorSpec spec() {
    List<Long> shape = new ArrayList<>(whole.spec().shape());
    shape.set(0, count);
    return new TensorSpec(whole.spec().name(), whole.spec().dtype(), shape);
  }

  @Override
  public void read(long offset, ByteBuffer into) {
    if (offset < 0 || offset > spec().bytes() - into.remaining()) {
      throw new IndexOutOfBoundsException(
          "%d bytes from %d of %s".formatted(into.remaining(), offset, spec()));
    }
    whole.read(first * rowBytes() + offset, into);
  }

  private long rowBytes() {
    long rows = whole.spec().shape().get(0);
    return rows == 0 ? 0 : whole.spec().bytes() / rows;
  }
}
