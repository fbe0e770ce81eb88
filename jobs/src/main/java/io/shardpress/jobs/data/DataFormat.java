package io.shardpress.jobs.data;

import io.shardpress.common.storage.Store;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** How rows lie in a file, told by the end of its name. */
enum DataFormat {
  /** The whole file is one text. */
  TEXT(".*\\.txt(\\.gz)?"),
  /** One JSON object per line. */
  JSON_LINES(".*\\.jsonl?(\\.gz)?"),
  PARQUET(".*\\.parquet"),
  /** Arrow IPC, as a file (Feather 2) or a stream. */
  ARROW(".*\\.(arrow|feather)");

  /** All endings, for messages. */
  static final String ENDINGS =
      ".txt, .jsonl, .json (these also with .gz), .parquet, .arrow, .feather";

  private final Pattern names;

  DataFormat(String names) {
    this.names = Pattern.compile(names, Pattern.CASE_INSENSITIVE);
  }

  static Optional<DataFormat> of(String fileName) {
    return Stream.of(values())
        .filter(format -> format.names.matcher(fileName).matches())
        .findFirst();
  }

  RowReader open(Store store, DataFile file, Optional<String> field) {
    return switch (this) {
      case TEXT -> new TextRows(store, file);
      case JSON_LINES -> new JsonRows(store, file, field);
      case PARQUET -> new ParquetRows(store, file, field);
      case ARROW -> new ArrowRows(store, file, field);
    };
  }
}
