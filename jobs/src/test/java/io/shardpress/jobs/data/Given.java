package io.shardpress.jobs.data;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;

/** What tests start from. */
final class Given {
  /** Size of the vocabulary of {@code words.json}: unknown, BOS, w0 to w49. */
  static final int WORDS = 52;

  static final int BOS = 1;

  private Given() {}

  static Store store() {
    return HadoopStore.of(new Configuration(false));
  }

  static Location at(Path path) {
    return Location.of(path.toString());
  }

  static DataFile file(Path path) {
    Location location = at(path);
    return new DataFile(0, location, DataFormat.of(location.name()).orElseThrow());
  }

  /** Opens a data file and reads all its rows. */
  static List<DataRow> rows(Path path, Optional<String> field) {
    DataFile file = file(path);
    List<DataRow> rows = new ArrayList<>();
    try (RowReader reader = file.format().open(store(), file, field)) {
      for (Optional<DataRow> row = reader.next(); row.isPresent(); row = reader.next()) {
        rows.add(row.get());
      }
    }
    return rows;
  }

  /** Opens the tokenizer of a folder as it is. */
  static Tokenizer tokenizer(Location checkpoint, int vocabulary) {
    Location file = TokenizerFile.of(checkpoint);
    String sha256 = store().exists(file) ? StoredFiles.sha256(store(), file) : "";
    return Tokenizer.open(store(), checkpoint, vocabulary, sha256);
  }

  /** Puts a tokenizer of the test resources into a folder. */
  static Path tokenizer(String resource, Path folder) throws IOException {
    try (InputStream bytes = Given.class.getResourceAsStream(resource)) {
      Files.createDirectories(folder);
      Files.write(folder.resolve("tokenizer.json"), bytes.readAllBytes());
    }
    return folder;
  }

  static ModelTokens words(Path checkpoint) {
    return new ModelTokens(at(checkpoint), WORDS, 64, OptionalInt.of(BOS));
  }

  /** {@code w0 w1 … w49 w0 …}, whose ids are 2 to 51 and round again. */
  static String words(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "w" + i % (WORDS - 2))
        .collect(Collectors.joining(" "));
  }

  static DataSettings settings(Path data, int length, int sequencesPerChunk) {
    return new DataSettings(
        List.of(data.toString()),
        Optional.empty(),
        length,
        Optional.empty(),
        Sample.FIRST,
        0,
        DataSettings.Bos.AUTO,
        sequencesPerChunk);
  }
}
