package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.channels.Channels;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/** A text file as it is, line ends included, in stretches. */
final class TextRows implements RowReader {
  private static final int STRETCH = 1 << 16;

  private final DataFile file;
  private final BufferedReader reader;
  private final char[] stretch = new char[STRETCH];

  TextRows(Store store, DataFile file) {
    this.file = file;
    this.reader = reader(store, file);
  }

  /** Strictly decoded UTF-8; a decoder made by hand reports what a charset would replace. */
  static BufferedReader reader(Store store, DataFile file) {
    StoreChannel channel = new StoreChannel(store, file.location());
    try {
      InputStream bytes = Channels.newInputStream(channel);
      boolean packed = file.location().name().toLowerCase(Locale.ROOT).endsWith(".gz");
      return new BufferedReader(
          new InputStreamReader(
              packed ? new GZIPInputStream(bytes) : bytes, StandardCharsets.UTF_8.newDecoder()),
          STRETCH);
    } catch (IOException e) {
      channel.close();
      throw unreadable(file, e);
    }
  }

  @Override
  public Optional<DataRow> next() {
    try {
      int count = reader.read(stretch);
      return count < 0
          ? Optional.empty()
          : Optional.of(new DataRow.Text(new String(stretch, 0, count)));
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  @Override
  public String separator() {
    return "";
  }

  @Override
  public String position() {
    return file.location().toString();
  }

  @Override
  public void close() {
    close(reader, file);
  }

  static void close(BufferedReader reader, DataFile file) {
    try {
      reader.close();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  static InputException unreadable(DataFile file, IOException cause) {
    if (cause instanceof CharacterCodingException) {
      return new InputException(
          "The data file %s is not UTF-8 text. Convert it, for example with iconv."
              .formatted(file.location()),
          cause);
    }
    return new InputException(
        "Cannot read the data file %s: %s. Copy or make it again."
            .formatted(file.location(), cause.getMessage()),
        cause);
  }
}
