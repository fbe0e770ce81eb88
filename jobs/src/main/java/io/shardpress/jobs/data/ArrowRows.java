package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.BaseListVector;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.types.pojo.Field;

/** One column of an Arrow IPC file or stream: strings, or lists of integers. */
final class ArrowRows implements RowReader {
  private static final byte[] FILE_MAGIC = "ARROW1".getBytes(StandardCharsets.US_ASCII);

  private static final int STREAM_START = 0xFFFFFFFF;

  private final DataFile file;
  private final BufferAllocator allocator = new RootAllocator();
  private final ArrowReader reader;
  private final FieldVector column;
  private int rowsInBatch;
  private int rowInBatch;
  private long row;

  ArrowRows(Store store, DataFile file, Optional<String> field) {
    this.file = file;
    this.reader = open(store);
    try {
      column = column(field);
    } catch (IOException | RuntimeException e) {
      close();
      throw unreadable(e);
    }
  }

  private ArrowReader open(Store store) {
    StoreChannel channel = new StoreChannel(store, file.location());
    ByteBuffer start = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    int read = 0;
    while (start.hasRemaining() && read >= 0) {
      read = channel.read(start);
    }
    channel.position(0);
    if (Arrays.equals(start.array(), 0, FILE_MAGIC.length, FILE_MAGIC, 0, FILE_MAGIC.length)) {
      return new ArrowFileReader(channel, allocator, CommonsCompressionFactory.INSTANCE);
    }
    // Anything else would be taken for a stream, and its first bytes for a size to allocate.
    boolean stream =
        start.getInt(0) == STREAM_START
            && start.getInt(Integer.BYTES) >= 0
            && start.getInt(Integer.BYTES) <= channel.size();
    if (!stream) {
      channel.close();
      throw unreadable(new IOException("it starts like neither a file nor a stream"));
    }
    return new ArrowStreamReader(
        (ReadableByteChannel) channel, allocator, CommonsCompressionFactory.INSTANCE);
  }

  private FieldVector column(Optional<String> field) throws IOException {
    List<Field> fields = reader.getVectorSchemaRoot().getSchema().getFields();
    String name =
        Fields.choose(
            file.location().toString(), field, fields.stream().map(Field::getName).toList());
    FieldVector vector = reader.getVectorSchemaRoot().getVector(name);
    boolean text = vector instanceof VarCharVector || vector instanceof LargeVarCharVector;
    boolean ids = vector instanceof BaseListVector && elements(vector) instanceof BaseIntVector;
    if (!(text || ids) || vector.getField().getDictionary() != null) {
      throw Fields.unsuitable(
          file.location().toString(), name, "the Arrow type " + vector.getField());
    }
    return vector;
  }

  private static FieldVector elements(FieldVector list) {
    return list.getChildrenFromFields().get(0);
  }

  @Override
  public Optional<DataRow> next() {
    try {
      while (rowInBatch == rowsInBatch) {
        if (!reader.loadNextBatch()) {
          return Optional.empty();
        }
        rowsInBatch = reader.getVectorSchemaRoot().getRowCount();
        rowInBatch = 0;
      }
      row++;
      return Optional.of(row(rowInBatch++));
    } catch (IOException | RuntimeException e) {
      throw unreadable(e);
    }
  }

  private DataRow row(int index) {
    if (column.isNull(index)) {
      throw Fields.missing(position(), column.getName());
    }
    if (!(column instanceof BaseListVector lists)) {
      return new DataRow.Text(column.getObject(index).toString());
    }
    BaseIntVector elements = (BaseIntVector) elements(column);
    int start = lists.getElementStartIndex(index);
    long[] ids = new long[lists.getElementEndIndex(index) - start];
    for (int i = 0; i < ids.length; i++) {
      if (elements.isNull(start + i)) {
        throw Fields.missing(position() + ", id " + (i + 1), column.getName());
      }
      ids[i] = elements.getValueAsLong(start + i);
    }
    return new DataRow.Ids(ids);
  }

  @Override
  public String separator() {
    return TokenRuns.ROW_SEPARATOR;
  }

  @Override
  public String position() {
    return file.location() + " row " + row;
  }

  @Override
  public void close() {
    try (allocator) {
      reader.close();
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private InputException unreadable(Exception cause) {
    if (cause instanceof InputException already) {
      return already;
    }
    return new InputException(
        "Cannot read %s as Arrow IPC: %s. Copy or make it again."
            .formatted(file.location(), cause.getMessage()),
        cause);
  }
}
