package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.Optional;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.io.DelegatingSeekableInputStream;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.SeekableInputStream;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/** One column of a Parquet file: strings, or lists of 32- or 64-bit integers. */
final class ParquetRows implements RowReader {
  private final DataFile file;
  private final String column;
  private final Kind kind;
  private final ParquetReader<Group> reader;
  private long row;

  private enum Kind {
    TEXT,
    INT32_LIST,
    INT64_LIST
  }

  ParquetRows(Store store, DataFile file, Optional<String> field) {
    this.file = file;
    InputFile input = new StoredFile(store, file.location());
    try {
      MessageType schema = schema(input);
      column = Fields.choose(file.location().toString(), field, names(schema));
      kind = kind(schema.getType(column));
      reader = open(input, new MessageType(schema.getName(), schema.getType(column)));
    } catch (IOException | RuntimeException e) {
      throw unreadable(e);
    }
  }

  private static MessageType schema(InputFile input) throws IOException {
    try (ParquetFileReader footer = ParquetFileReader.open(input)) {
      return footer.getFileMetaData().getSchema();
    }
  }

  private static java.util.List<String> names(MessageType schema) {
    return schema.getFields().stream().map(Type::getName).toList();
  }

  private Kind kind(Type type) {
    if (type.isPrimitive() && !type.isRepetition(Type.Repetition.REPEATED)) {
      boolean string =
          type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY
              && type.getLogicalTypeAnnotation()
                  instanceof LogicalTypeAnnotation.StringLogicalTypeAnnotation;
      if (string) {
        return Kind.TEXT;
      }
    } else if (!type.isPrimitive()
        && type.getLogicalTypeAnnotation()
            instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation) {
      Type element = element(type);
      if (element.isPrimitive()) {
        switch (element.asPrimitiveType().getPrimitiveTypeName()) {
          case INT32 -> {
            return Kind.INT32_LIST;
          }
          case INT64 -> {
            return Kind.INT64_LIST;
          }
          default -> {}
        }
      }
    }
    throw Fields.unsuitable(
        file.location().toString(), column, "the Parquet type " + type.toString().strip());
  }

  /** The element of a list: inside the repeated group, or, in old files, the repeated field. */
  private static Type element(Type list) {
    Type repeated = list.asGroupType().getType(0);
    return repeated.isPrimitive() ? repeated : repeated.asGroupType().getType(0);
  }

  private static ParquetReader<Group> open(InputFile input, MessageType columns)
      throws IOException {
    ParquetConfiguration settings = new PlainParquetConfiguration();
    settings.set(ReadSupport.PARQUET_READ_SCHEMA, columns.toString());
    return new ParquetReader.Builder<Group>(input, settings) {
      @Override
      protected ReadSupport<Group> getReadSupport() {
        return new GroupReadSupport();
      }
    }.build();
  }

  @Override
  public Optional<DataRow> next() {
    Group group;
    try {
      group = reader.read();
      row++;
    } catch (IOException | RuntimeException e) {
      throw unreadable(e);
    }
    if (group == null) {
      return Optional.empty();
    }
    if (group.getFieldRepetitionCount(0) == 0) {
      throw Fields.missing(position(), column);
    }
    return Optional.of(
        kind == Kind.TEXT
            ? new DataRow.Text(group.getString(0, 0))
            : new DataRow.Ids(ids(group.getGroup(0, 0))));
  }

  private long[] ids(Group list) {
    long[] ids = new long[list.getFieldRepetitionCount(0)];
    boolean nested = !list.getType().getType(0).isPrimitive();
    for (int i = 0; i < ids.length; i++) {
      Group holder = nested ? list.getGroup(0, i) : list;
      if (nested && holder.getFieldRepetitionCount(0) == 0) {
        throw Fields.missing(position() + ", id " + (i + 1), column);
      }
      int index = nested ? 0 : i;
      ids[i] = kind == Kind.INT32_LIST ? holder.getInteger(0, index) : holder.getLong(0, index);
    }
    return ids;
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
    try {
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
        "Cannot read %s as Parquet: %s. Copy or make it again."
            .formatted(file.location(), cause.getMessage()),
        cause);
  }

  private record StoredFile(Store store, Location location) implements InputFile {
    @Override
    public long getLength() {
      return store.length(location);
    }

    @Override
    public SeekableInputStream newStream() {
      StoreChannel channel = new StoreChannel(store, location);
      return new DelegatingSeekableInputStream(Channels.newInputStream(channel)) {
        @Override
        public long getPos() {
          return channel.position();
        }

        @Override
        public void seek(long position) {
          channel.position(position);
        }
      };
    }
  }
}
