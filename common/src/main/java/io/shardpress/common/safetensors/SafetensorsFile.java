package io.shardpress.common.safetensors;

import static io.shardpress.common.error.CheckpointFormatException.Code.MISSING_TENSOR;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A safetensors file whose header was read; tensors are read by byte range when asked for, each
 * call into a buffer that the caller owns. Safe for use by several threads.
 *
 * <p>A read holds at most 2 GiB; larger tensors are read in parts or by rows. The rows of a tensor
 * of shape {@code [n, …]} are its n slices along the first dimension.
 */
public final class SafetensorsFile {
  /** The largest array of the JVM. */
  private static final int MAX_READ = Integer.MAX_VALUE - 8;

  private final Store store;
  private final Location location;
  private final SafetensorsHeader header;
  private final long length;

  private SafetensorsFile(Store store, Location location, SafetensorsHeader header, long length) {
    this.store = store;
    this.location = location;
    this.header = header;
    this.length = length;
  }

  /** Reads the header, and nothing else. */
  public static SafetensorsFile read(Store store, Location location) {
    try (SeekableInput input = store.open(location)) {
      SafetensorsHeader header = SafetensorsHeader.read(location.toString(), input);
      return new SafetensorsFile(store, location, header, input.length());
    }
  }

  public Location location() {
    return location;
  }

  public SafetensorsHeader header() {
    return header;
  }

  /** Length of the whole file in bytes. */
  public long length() {
    return length;
  }

  /** Type and shape of a tensor. */
  public TensorSpec spec(String name) {
    return entry(name).spec();
  }

  /** The whole tensor. */
  public RawTensor tensor(String name) {
    Entry entry = entry(name);
    return read(entry.spec(), entry.begin(), entry.end());
  }

  /** The whole tensor, of any size, to be read in parts; each part opens the file once. */
  public TensorSource source(String name) {
    Entry entry = entry(name);
    return new Range(store, location, entry);
  }

  private record Range(Store store, Location location, Entry entry) implements TensorSource {
    @Override
    public TensorSpec spec() {
      return entry.spec();
    }

    @Override
    public void read(long offset, ByteBuffer into) {
      if (offset < 0 || offset > spec().bytes() - into.remaining()) {
        throw new IndexOutOfBoundsException(
            "%d bytes from %d of %s".formatted(into.remaining(), offset, spec()));
      }
      if (into.hasRemaining()) {
        store.read(location, entry.begin() + offset, into);
      }
    }
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive); shape {@code [to - from, …]}. */
  public RawTensor rows(String name, long from, long to) {
    Entry entry = entry(name);
    long rowBytes = rowBytes(entry);
    if (from < 0 || to < from || to > entry.spec().shape().get(0)) {
      throw outside(entry, "rows " + from + " to " + to);
    }
    return read(
        withRows(entry.spec(), to - from),
        entry.begin() + from * rowBytes,
        entry.begin() + to * rowBytes);
  }

  /**
   * The rows with these numbers, in their order; a number may occur again. Rows that lie close to
   * each other are read together.
   */
  public RawTensor gather(String name, long[] rows) {
    Entry entry = entry(name);
    long rowBytes = rowBytes(entry);
    long count = entry.spec().shape().get(0);
    if (count > RowRun.MAX_ROWS) {
      throw outside(entry, "more than " + RowRun.MAX_ROWS + " rows to gather from");
    }
    for (long row : rows) {
      if (row < 0 || row >= count) {
        throw outside(entry, "row " + row);
      }
    }
    TensorSpec spec = withRows(entry.spec(), rows.length);
    ByteBuffer gathered = allocate(spec);
    if (gathered.hasRemaining()) {
      try (SeekableInput input = store.open(location)) {
        for (RowRun run : RowRun.over(rows, rowBytes)) {
          run.copy(input, entry.begin(), gathered);
        }
      }
    }
    return new RawTensor(spec, gathered.clear());
  }

  private RawTensor read(TensorSpec spec, long begin, long end) {
    ByteBuffer bytes = allocate(spec);
    if (begin < end) {
      store.read(location, begin, bytes);
    }
    return new RawTensor(spec, bytes.clear());
  }

  private ByteBuffer allocate(TensorSpec spec) {
    if (spec.bytes() > MAX_READ) {
      throw new InputException(
          "Tensor %s of %s: %d bytes of it do not fit one array of %d. Read fewer rows at a time."
              .formatted(spec.name(), location, spec.bytes(), MAX_READ));
    }
    return ByteBuffer.allocate((int) spec.bytes());
  }

  private Entry entry(String name) {
    Entry entry = header.tensors().get(name);
    if (entry == null) {
      throw new CheckpointFormatException(
          MISSING_TENSOR,
          "%s holds no tensor %s (it holds %d others). Check the name, or that the checkpoint is complete."
              .formatted(location, HeaderErrors.quoted(name), header.tensors().size()));
    }
    return entry;
  }

  private long rowBytes(Entry entry) {
    List<Long> shape = entry.spec().shape();
    if (shape.isEmpty()) {
      throw outside(entry, "rows");
    }
    long rows = shape.get(0);
    long bytes = entry.end() - entry.begin();
    if (rows > 0 && bytes % rows != 0) {
      throw new InputException(
          "Rows of tensor %s of %s do not begin at byte borders (%s %s). Read the whole tensor."
              .formatted(entry.spec().name(), location, entry.spec().dtype(), shape));
    }
    return rows == 0 ? 0 : bytes / rows;
  }

  private InputException outside(Entry entry, String what) {
    return new InputException(
        "Tensor %s of %s has shape %s and no %s. Check the numbers against the checkpoint."
            .formatted(entry.spec().name(), location, entry.spec().shape(), what));
  }

  private static TensorSpec withRows(TensorSpec spec, long rows) {
    List<Long> shape = new ArrayList<>(spec.shape());
    shape.set(0, rows);
    return new TensorSpec(spec.name(), spec.dtype(), shape);
  }
}
