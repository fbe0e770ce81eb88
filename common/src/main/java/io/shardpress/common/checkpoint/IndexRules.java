package io.shardpress.common.checkpoint;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.Printable;
import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import io.shardpress.common.storage.Location;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An index and its shards name the same tensors in the same places. */
final class IndexRules {
  private static final Logger LOG = LoggerFactory.getLogger(IndexRules.class);

  private IndexRules() {}

  static void check(
      Location source,
      ShardIndex index,
      Predicate<String> exists,
      Function<String, SafetensorsFile> shards) {
    for (String file : index.files()) {
      if (!exists.test(file)) {
        throw invalid(source, "the shard " + file + " is not there");
      }
    }
    long total = 0;
    for (String file : index.files()) {
      for (Entry entry : shards.apply(file).header().tensors().values()) {
        String tensor = entry.spec().name();
        String mapped = index.weightMap().get(tensor);
        if (!file.equals(mapped)) {
          throw invalid(
              source,
              "tensor %s lies in %s, but the index %s"
                  .formatted(
                      Printable.quoted(tensor),
                      file,
                      mapped == null ? "does not name it" : "says " + mapped));
        }
        total += entry.end() - entry.begin();
      }
    }
    for (Map.Entry<String, String> entry : index.weightMap().entrySet()) {
      if (!shards.apply(entry.getValue()).header().tensors().containsKey(entry.getKey())) {
        throw invalid(
            source,
            "tensor %s should lie in %s, but does not"
                .formatted(Printable.quoted(entry.getKey()), entry.getValue()));
      }
    }
    if (index.totalSize().isPresent() && index.totalSize().getAsLong() != total) {
      LOG.warn(
          "{}: total_size is {}, but the tensors have {} bytes; the tensors count.",
          source,
          index.totalSize().getAsLong(),
          total);
    }
  }

  private static CheckpointFormatException invalid(Location source, String problem) {
    return new CheckpointFormatException(
        Code.INVALID_INDEX, source + ": " + problem + ". Download or convert the model again.");
  }
}
