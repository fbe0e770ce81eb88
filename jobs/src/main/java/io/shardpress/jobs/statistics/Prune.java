package io.shardpress.jobs.statistics;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Removes statistics that are not wanted any more. */
public final class Prune {
  private static final String WORK = "_work";

  private final StatisticsStore statistics;
  private final Clock clock;

  public Prune(StatisticsStore statistics, Clock clock) {
    this.statistics = statistics;
    this.clock = clock;
  }

  /** Whether a choice is made by what it says. */
  public enum Which {
    CHOSEN,
    ALL
  }

  /** Whether anything is touched. */
  public enum Mode {
    REMOVE,
    DRY_RUN
  }

  /**
   * Calibrations to remove; of none where nothing is said.
   *
   * @param address of one, or the start of it
   * @param olderThanDays those made before
   */
  public record Choice(Optional<String> address, Optional<Integer> olderThanDays, Which which) {}

  /**
   * Removes what is chosen, and what killed attempts have left.
   *
   * @return what was, or would be, removed
   */
  public List<Location> run(Choice choice, Mode mode) {
    List<Location> unwanted = new ArrayList<>();
    Optional<String> address = choice.address().map(start -> statistics.named(start).address());
    Optional<Instant> before =
        choice.olderThanDays().map(days -> clock.instant().minus(Duration.ofDays(days)));
    for (KeptCalibration kept : statistics.list()) {
      boolean chosen =
          choice.which() == Which.ALL
              || address.filter(kept.address()::equals).isPresent()
              || before.filter(kept.made()::isBefore).isPresent();
      if (chosen) {
        unwanted.add(kept.folder());
      } else if (kept.damage().isEmpty()) {
        statistics.strays(kept).forEach(name -> unwanted.add(kept.folder().child(name)));
      }
    }
    Store store = statistics.store();
    Location work = statistics.root().child(WORK);
    store.list(work).forEach(entry -> unwanted.add(work.child(entry.name())));
    if (mode == Mode.REMOVE) {
      unwanted.forEach(store::delete);
    }
    return List.copyOf(unwanted);
  }
}
