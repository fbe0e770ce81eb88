package io.shardpress.jobs.statistics;

import io.shardpress.common.storage.Location;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One calibration in a {@link StatisticsStore}.
 *
 * @param description what it was made of; empty where its record is missing or damaged
 * @param inputs what is kept of each input, by name
 * @param damage what is wrong with it, if anything
 */
public record KeptCalibration(
    Location folder,
    Optional<StatisticsStore.Description> description,
    List<KeptInput> inputs,
    Optional<String> damage) {
  public KeptCalibration {
    inputs = List.copyOf(inputs);
  }

  public String address() {
    return folder.name();
  }

  /** Bytes of all its statistics. */
  public long bytes() {
    return inputs.stream().mapToLong(KeptInput::bytes).sum();
  }

  /** What its address is made of; empty where that cannot be read. */
  public Map<String, String> fields() {
    return description.map(found -> (Map<String, String>) found.key().fields()).orElse(Map.of());
  }

  /** Where it came from; empty where that cannot be read. */
  public Optional<StatisticsStore.Origin> origin() {
    return description.map(StatisticsStore.Description::origin);
  }

  /** When it was made; the beginning of time where nobody knows. */
  public Instant made() {
    try {
      return origin().map(origin -> Instant.parse(origin.made())).orElse(Instant.EPOCH);
    } catch (DateTimeParseException e) {
      return Instant.EPOCH;
    }
  }
}
