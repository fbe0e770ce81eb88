package io.shardpress.operators.linalg;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.cpu.nativecpu.NDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A row-major matrix in memory from {@link OffHeap}, which gets it back when the matrix is closed.
 * ND4J's own allocation fills every array with zeros, also where it is asked not to.
 */
@SuppressWarnings("overrides") // of ND4J's base class, which mixes arrays and variable arguments
final class OffHeapMatrix extends NDArray {
  private static final long serialVersionUID = 1L;

  /** A buffer of Java holds less than 2 GiB. */
  private static final long PIECE = 1 << 30;

  /**
   * Where a matrix begins: at a cache line. A row of a processor's matrix tile is as long, and to
   * load it from two lines takes twice the time, all of a BF16 product.
   */
  static final int ALIGNMENT = 64;

  /** What is given back; empty for a view. */
  private final transient Optional<BytePointer> block;

  private OffHeapMatrix(
      DataType type, long rows, long columns, Optional<BytePointer> block, Pointer typed) {
    super(
        Nd4j.createBuffer(typed, rows * columns, type),
        new long[] {rows, columns},
        new long[] {columns, 1},
        0,
        'c',
        type);
    this.block = block;
  }

  /** A matrix of F32 or BF16 with undefined content; ND4J's own where it is empty. */
  static INDArray of(DataType type, long rows, long columns) {
    if (rows == 0 || columns == 0) {
      return Nd4j.createUninitialized(type, new long[] {rows, columns}, 'c');
    }
    long bytes = Math.multiplyExact(Math.multiplyExact(rows, columns), type.width());
    BytePointer block = OffHeap.memory().take(bytes + ALIGNMENT);
    Pointer typed = borrowed(type, aligned(block), rows * columns);
    return new OffHeapMatrix(type, rows, columns, Optional.of(block), typed);
  }

  private static long aligned(BytePointer block) {
    return (block.address() + ALIGNMENT - 1) & -ALIGNMENT;
  }

  /**
   * A matrix for a stored tensor: {@code [rows, columns]} for two dimensions, {@code [1, n]} for
   * one; more dimensions are flattened behind the first.
   */
  static INDArray of(DataType type, TensorSpec tensor) {
    long rows = tensor.shape().size() < 2 ? 1 : tensor.shape().get(0);
    return of(type, rows, rows == 0 ? 0 : tensor.elements() / rows);
  }

  /** The first elements of a matrix as another one, to be used while that is open. */
  static INDArray view(INDArray whole, long rows, long columns) {
    if (rows * columns > whole.length()) {
      throw new IllegalArgumentException(
          "[%d, %d] of %d elements".formatted(rows, columns, whole.length()));
    }
    return new OffHeapMatrix(
        whole.dataType(),
        rows,
        columns,
        Optional.empty(),
        borrowed(whole.dataType(), whole.data().pointer().address(), rows * columns));
  }

  private static Pointer borrowed(DataType type, long address, long count) {
    return type == DataType.FLOAT
        ? new BorrowedFloats(address, count)
        : new BorrowedShorts(address, count);
  }

  /** A copy of a stored tensor of F32 or BF16, read straight into the matrix's memory. */
  static INDArray read(TensorSource tensor) {
    TensorSpec spec = tensor.spec();
    INDArray matrix = of(spec.dtype() == DType.BF16 ? DataType.BFLOAT16 : DataType.FLOAT, spec);
    if (matrix instanceof OffHeapMatrix made) {
      try {
        for (long done = 0; done < spec.bytes(); done += PIECE) {
          long count = Math.min(PIECE, spec.bytes() - done);
          BytePointer piece = new BytePointer(made.data().pointer()).getPointer(done);
          tensor.read(done, piece.limit(count).asByteBuffer());
        }
      } catch (RuntimeException | Error e) {
        matrix.close();
        throw e;
      }
    }
    return matrix;
  }

  /** Floats that closing the pointer, or a copy of it, does not free. */
  private static final class BorrowedFloats extends FloatPointer {
    BorrowedFloats(long address, long count) {
      super((Pointer) null);
      this.address = address;
      this.limit = count;
      this.capacity = count;
    }
  }

  /** The same for BF16, which ND4J keeps as shorts. */
  private static final class BorrowedShorts extends ShortPointer {
    BorrowedShorts(long address, long count) {
      super((Pointer) null);
      this.address = address;
      this.limit = count;
      this.capacity = count;
    }
  }

  @Override
  public void close() {
    if (!wasClosed()) {
      super.close();
      block.ifPresent(OffHeap.memory()::giveBack);
    }
  }
}
