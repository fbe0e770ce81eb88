package io.shardpress.jobs.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** One JSON object per line; empty lines are passed over. */
final class JsonRows implements RowReader {
  private final DataFile file;
  private final BufferedReader reader;
  private Optional<String> field;
  private long line;

  JsonRows(Store store, DataFile file, Optional<String> field) {
    this.file = file;
    this.field = field;
    this.reader = TextRows.reader(store, file);
  }

  @Override
  public Optional<DataRow> next() {
    try {
      String text = reader.readLine();
      line++;
      while (text != null && text.isBlank()) {
        text = reader.readLine();
        line++;
      }
      return text == null ? Optional.empty() : Optional.of(row(text));
    } catch (IOException e) {
      throw TextRows.unreadable(file, e);
    }
  }

  private DataRow row(String text) {
    JsonNode row = StrictJson.parseObject(position(), text.getBytes(StandardCharsets.UTF_8));
    List<String> names = row.properties().stream().map(java.util.Map.Entry::getKey).toList();
    String name = Fields.choose(position(), field, names);
    field = Optional.of(name);
    JsonNode value = row.get(name);
    if (value.isNull()) {
      throw Fields.missing(position(), name);
    }
    if (value.isTextual()) {
      return new DataRow.Text(value.textValue());
    }
    if (value.isArray() && all(value)) {
      return new DataRow.Ids(
          StreamSupport.stream(value.spliterator(), false)
              .mapToLong(JsonNode::longValue)
              .toArray());
    }
    throw Fields.unsuitable(position(), name, describe(value));
  }

  private static boolean all(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .allMatch(id -> id.isIntegralNumber() && id.canConvertToLong());
  }

  private static String describe(JsonNode value) {
    return value.isArray()
        ? "a list that is not of integers"
        : "a JSON " + value.getNodeType().toString().toLowerCase(java.util.Locale.ROOT);
  }

  @Override
  public String separator() {
    return TokenRuns.ROW_SEPARATOR;
  }

  @Override
  public String position() {
    return file.location() + " line " + line;
  }

  @Override
  public void close() {
    TextRows.close(reader, file);
  }
}
