package io.shardpress.jobs.resume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.resume.Lease.Patience;
import io.shardpress.jobs.storage.SealedJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeaseTest {
  private static final Patience SHORT = new Patience(Duration.ofMillis(20), Duration.ofMillis(400));

  private final HadoopStore store = TinyCheckpoint.store();

  @TempDir private Path folder;
  private Path staging;
  private Location place;

  @BeforeEach
  void places() {
    staging = folder.resolve("out/_staging");
    place = Location.of(staging.toString());
  }

  @Test
  void leavesNothingBehind() {
    try (Lease lease = Lease.take(store, place, SHORT)) {
      lease.requireHeld();
      assertThat(staging.resolve("lease-000001.json")).exists();
    }
    assertThat(staging).doesNotExist();
  }

  @Test
  void isHeldByOneOnly() {
    try (Lease held = Lease.take(store, place, SHORT)) {
      assertThatThrownBy(() -> Lease.take(store, place, SHORT))
          .isInstanceOf(DestinationException.class)
          .hasMessageContaining("Another run is at work at file://" + folder.resolve("out"))
          .hasMessageContaining("process " + ProcessHandle.current().pid() + " on host ");
      held.requireHeld();
    }
    Lease.take(store, place, SHORT).close();
  }

  /** As when storage did not let its holder remove it. */
  @Test
  void isFreeWhenThisProcessHasGivenItBackAlready() throws IOException {
    leave(1, Holder.here());
    long start = System.nanoTime();
    Lease.take(store, place, Patience.DEFAULT).close();
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .as("no pulse is waited for")
        .isLessThan(Patience.DEFAULT.stillness());
    assertThat(staging).doesNotExist();
  }

  @Test
  void isFreeWhenItsProcessOnThisHostIsGone() throws IOException {
    Holder here = Holder.here();
    leave(1, new Holder(here.host(), here.processes(), here.pid(), here.start() - 1000));
    try (Lease lease = Lease.take(store, place, SHORT)) {
      lease.requireHeld();
      assertThat(staging.resolve("lease-000001.json")).doesNotExist();
      assertThat(staging.resolve("lease-000002.json")).exists();
    }
  }

  @Test
  void isFreeWhenThePulseOfAnotherHostStandsStill() throws IOException {
    leave(3, new Holder("elsewhere", "", 1, 0));
    Files.writeString(staging.resolve("lease-000003.pulse"), "17");
    Lease.take(store, place, SHORT).close();
  }

  @Test
  void isHeldWhileThePulseOfAnotherHostBeats() throws Exception {
    leave(1, new Holder("elsewhere", "", 1, 0));
    Path pulse = staging.resolve("lease-000001.pulse");
    ExecutorService other = Executors.newSingleThreadExecutor();
    Future<?> beating =
        other.submit(
            () -> {
              for (long i = 0; !Thread.interrupted(); i++) {
                // Moved into place: a file that is rewritten all the time is mostly empty.
                Path next = Files.writeString(folder.resolve("next"), Long.toString(i));
                Files.move(next, pulse, StandardCopyOption.REPLACE_EXISTING);
              }
              return null;
            });
    try {
      Patience patient = new Patience(Duration.ofMillis(20), Duration.ofSeconds(30));
      assertThatThrownBy(() -> Lease.take(store, place, patient))
          .isInstanceOf(DestinationException.class)
          .hasMessageContaining("(process 1 on host elsewhere)");
    } finally {
      beating.cancel(true);
      other.shutdownNow();
      assertThat(other.awaitTermination(30, TimeUnit.SECONDS)).as("it stops").isTrue();
    }
  }

  @Test
  void isLostToWhoTookItMeanwhile() throws IOException {
    try (Lease slept = Lease.take(store, place, SHORT)) {
      leave(2, new Holder("elsewhere", "", 1, 0));
      assertThatThrownBy(slept::requireHeld)
          .isInstanceOf(DestinationException.class)
          .hasMessageContaining("Another run took over");
    }
    assertThat(staging.resolve("lease-000002.json")).as("the other's").exists();
  }

  @Test
  void isFreeWhenItsRecordWasNeverFinished() throws IOException {
    Files.createDirectories(staging);
    Files.writeString(staging.resolve("lease-000001.json"), "");
    Lease.take(store, place, SHORT).close();
  }

  @RepeatedTest(100)
  void goesToOneOfManyAtOnce() throws Exception {
    int count = 8;
    CyclicBarrier start = new CyclicBarrier(count);
    ExecutorService runs = Executors.newFixedThreadPool(count);
    try {
      List<Callable<Lease>> takers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        takers.add(
            () -> {
              start.await();
              return Lease.take(store, place, SHORT);
            });
      }
      List<Lease> taken = new ArrayList<>();
      for (Future<Lease> taker : runs.invokeAll(takers)) {
        try {
          taken.add(taker.get());
        } catch (java.util.concurrent.ExecutionException e) {
          assertThat(e).hasCauseInstanceOf(DestinationException.class);
        }
      }
      assertThat(taken).hasSize(1);
      taken.get(0).requireHeld();
      taken.get(0).close();
    } finally {
      runs.shutdownNow();
    }
  }

  private void leave(int number, Holder holder) throws IOException {
    Files.createDirectories(staging);
    SealedJson.create(store, place.child("lease-%06d.json".formatted(number)), holder.json());
  }
}
