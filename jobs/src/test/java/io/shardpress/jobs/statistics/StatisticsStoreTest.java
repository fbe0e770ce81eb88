package io.shardpress.jobs.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.fixture.ManualClock;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.recipe.StarvedExperts;
import io.shardpress.jobs.statistics.StatisticsStore.Origin;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.model.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatisticsStoreTest {
  private static final Origin ORIGIN = new Origin("s3a://m", List.of("t"), "2026-01-01T00:00:00Z");
  private static final ExpertPolicy POLICY = new ExpertPolicy(0, 0, StarvedExperts.FAIL);
  private static final CalibrationKey KEY =
      CalibrationKey.of("model", "tokens", Precision.F32, POLICY);

  private final HadoopStore store = TinyCheckpoint.store();

  @TempDir private Path folder;
  private StatisticsStore statistics;

  @BeforeEach
  void places() {
    statistics = new StatisticsStore(store, Location.of(folder.resolve("stats").toString()));
  }

  @Test
  void findsWhatWasPutUnderTheSameKey() throws IOException {
    assertThat(statistics.find(KEY, List.of("a"))).isEmpty();
    Map<String, StoredInput> put = statistics.put(KEY, ORIGIN, List.of(kept("a"), kept("../b")));

    assertThat(statistics.find(KEY, List.of("a", "../b", "c"))).isEqualTo(put).hasSize(2);
    assertThat(statistics.find(KEY.behind("digest"), List.of("a"))).isEmpty();
    assertThat(
            statistics.find(
                CalibrationKey.of("model", "tokens", Precision.BF16, POLICY), List.of("a")))
        .isEmpty();
  }

  @Test
  void keepsTheFirstOfTwoRunsThatCollectTheSame() throws IOException {
    KeptInput first = kept("a");
    KeptInput second = kept("a");
    statistics.put(KEY, ORIGIN, List.of(first));

    StoredInput counts = statistics.put(KEY, ORIGIN, List.of(second)).get("a");

    assertThat(counts.kept()).isEqualTo(first);
    assertThat(file(second)).doesNotExist();
    assertThat(file(first)).exists();
  }

  @Test
  void refusesAMarkFromElsewhere() throws IOException {
    statistics.put(KEY, ORIGIN, List.of(kept("a")));
    CalibrationKey other = KEY.behind("x");
    statistics.put(other, ORIGIN, List.of());
    Path foreign = Path.of(statistics.folder(other).path()).resolve("a.mark.json");
    Files.copy(Path.of(statistics.folder(KEY).path()).resolve("a.mark.json"), foreign);

    assertThatThrownBy(() -> statistics.find(other, List.of("a")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has a mark that belongs elsewhere: a.mark.json");
  }

  @Test
  void refusesAFolderThatWasRenamed() throws IOException {
    statistics.put(KEY, ORIGIN, List.of(kept("a")));
    CalibrationKey other = KEY.behind("x");
    Files.move(Path.of(statistics.folder(KEY).path()), Path.of(statistics.folder(other).path()));

    assertThatThrownBy(() -> statistics.find(other, List.of("a")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("holds statistics of another calibration than its name says")
        .hasMessageContaining("stats prune " + statistics.root());
  }

  @Test
  void takesAMarkThatWasNotFinishedForNone() throws IOException {
    statistics.put(KEY, ORIGIN, List.of(kept("a")));
    Path mark = Path.of(statistics.folder(KEY).path()).resolve("a.mark.json");
    Files.writeString(mark, Files.readString(mark).substring(0, 40));

    assertThat(statistics.find(KEY, List.of("a"))).isEmpty();
    KeptInput again = kept("a");
    assertThat(statistics.put(KEY, ORIGIN, List.of(again)).get("a").kept()).isEqualTo(again);
  }

  @Test
  void listsShowsAndPrunes() throws IOException {
    CalibrationKey old = KEY.behind("old");
    Origin before = new Origin("m", List.of(), "2025-06-01T00:00:00Z");
    statistics.put(old, before, List.of(kept("a")));
    statistics.put(KEY, ORIGIN, List.of(kept("a"), kept("b")));
    Path stray = Path.of(statistics.folder(KEY).path()).resolve("a.stray.safetensors");
    Files.writeString(stray, "left");

    assertThat(StatisticsReport.list(statistics.list()))
        .contains(KEY.address().substring(0, 12), "2026-01-01T00:00:00Z", "s3a://m");
    assertThat(StatisticsReport.show(statistics.named(KEY.address().substring(0, 20))))
        .contains("model          model", "applied before nothing", "data at        t");
    assertThatThrownBy(() -> statistics.named("zz"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("0 calibrations in ");

    ManualClock clock = new ManualClock(); // 2026-01-01
    clock.pass(Duration.ofDays(10));
    Prune prune = new Prune(statistics, clock);
    Prune.Choice choice = new Prune.Choice(Optional.empty(), Optional.of(100), Prune.Which.CHOSEN);
    assertThat(prune.run(choice, Prune.Mode.DRY_RUN))
        .contains(
            statistics.folder(old), statistics.folder(KEY).child(stray.getFileName().toString()));
    assertThat(stray).exists();

    prune.run(choice, Prune.Mode.REMOVE);

    assertThat(stray).doesNotExist();
    assertThat(statistics.list())
        .extracting(KeptCalibration::address)
        .containsExactly(KEY.address());
    prune.run(
        new Prune.Choice(Optional.empty(), Optional.empty(), Prune.Which.ALL), Prune.Mode.REMOVE);
    assertThat(StatisticsReport.list(statistics.list())).contains("no statistics are kept here");
  }

  @Test
  void showsDamageAndCanRemoveIt() throws IOException {
    statistics.put(KEY, ORIGIN, List.of(kept("a")));
    Path mark = Path.of(statistics.folder(KEY).path()).resolve("a.mark.json");
    Files.writeString(mark, Files.readString(mark).replace("\"width\":4", "\"width\":5"));

    assertThat(StatisticsReport.list(statistics.list())).contains("DAMAGED: ");
    new Prune(statistics, new ManualClock())
        .run(
            new Prune.Choice(Optional.of(KEY.address()), Optional.empty(), Prune.Which.CHOSEN),
            Prune.Mode.REMOVE);
    assertThat(statistics.list()).isEmpty();
  }

  private Path file(KeptInput kept) {
    return Path.of(statistics.folder(KEY).child(kept.files().get(0).name()).path());
  }

  private KeptInput kept(String input) throws IOException {
    String name = UUID.randomUUID() + ".safetensors";
    Path file = Path.of(statistics.folder(KEY).child(name).path());
    Files.createDirectories(file.getParent());
    Files.writeString(file, input);
    return new KeptInput(
        input, 4, 10, 10, "none", List.of(new PublishedFile(name, input.length(), "ab")));
  }
}
