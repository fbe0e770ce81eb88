package io.shardpress.integration.stores;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Writers that meet. */
final class Race {
  private static final int WRITERS = 4;
  private static final int ROUNDS = 5;

  private Race() {}

  /**
   * Writers that begin a file together: one creates it, the others are told that it exists, and it
   * holds what the winner wrote.
   */
  static void createdByOne(Store store, Location folder) {
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        Location file = folder.child("raced-" + round);
        CyclicBarrier together = new CyclicBarrier(WRITERS);
        List<CompletableFuture<Optional<String>>> writers = new ArrayList<>();
        for (int writer = 0; writer < WRITERS; writer++) {
          String text = "writer " + writer;
          writers.add(
              CompletableFuture.supplyAsync(() -> create(store, file, text, together), threads));
        }
        List<String> winners = writers.stream().flatMap(w -> w.join().stream()).toList();
        assertThat(winners).as("winners of round %d", round).hasSize(1);
        assertThat(new String(store.readAll(file, 100), StandardCharsets.UTF_8))
            .isEqualTo(winners.get(0));
      }
    } finally {
      threads.shutdown();
    }
  }

  private static Optional<String> create(
      Store store, Location file, String text, CyclicBarrier together) {
    meet(together);
    try {
      try (OutputStream out = store.create(file)) {
        out.write(text.getBytes(StandardCharsets.UTF_8));
      }
      return Optional.of(text);
    } catch (DestinationException e) {
      assertThat(e).hasMessageContaining(file.uri()).hasMessageContaining("exists already");
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void meet(CyclicBarrier together) {
    try {
      together.await();
    } catch (InterruptedException | java.util.concurrent.BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }
}
