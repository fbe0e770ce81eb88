package io.shardpress.jobs.resume;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.OccupiedException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.storage.SealedJson;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * The right of one process to work at a destination. Leases are numbered files, each created once;
 * the highest number holds. Its holder rewrites a second file, its pulse, every few seconds; one
 * whose process is gone, or whose pulse stands still, has lost the lease to whoever creates the
 * next number first. A holder that slept meanwhile finds that out before it publishes.
 */
public final class Lease implements AutoCloseable {
  private static final Pattern NAME = Pattern.compile("lease-(\\d{1,9})\\.json");
  private static final long PULSE_LIMIT = 100;

  /**
   * Files of the leases that this process holds: it need not watch itself, and knows which of its
   * leases it has given back when storage did not let it remove them.
   */
  private static final Set<Location> HELD_HERE = ConcurrentHashMap.newKeySet();

  /**
   * How patiently holders are watched.
   *
   * @param pulse time between two pulses
   * @param stillness how long a pulse may stand still before its holder counts as gone
   */
  public record Patience(Duration pulse, Duration stillness) {
    public static final Patience DEFAULT =
        new Patience(Duration.ofSeconds(4), Duration.ofSeconds(20));
  }

  private final Store store;
  private final Location folder;
  private final int number;
  private final ScheduledExecutorService heart;
  private final ScheduledFuture<?> beats;

  private Lease(Store store, Location folder, int number, Duration pulse) {
    this.store = store;
    this.folder = folder;
    this.number = number;
    this.heart = Executors.newSingleThreadScheduledExecutor(Lease::thread);
    this.beats =
        heart.scheduleWithFixedDelay(
            new Beat(), pulse.toMillis(), pulse.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "shardpress-lease");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Takes the lease on what lies beside {@code folder}.
   *
   * @param folder for the lease's own files
   * @throws DestinationException when another process holds it, or is faster
   */
  public static Lease take(Store store, Location folder, Patience patience) {
    int last = highest(store, folder);
    if (last > 0) {
      requireGone(store, folder, last, patience);
    }
    int number = last + 1;
    Location file = file(folder, number);
    // Before the file is there: another thread that finds it must not think that its holder is
    // gone.
    if (!HELD_HERE.add(file)) {
      throw new DestinationException(justBegun(folder));
    }
    try {
      // Two threads of a process are two takers.
      SealedJson.create(
          store, file, Holder.here().json().put("lease", UUID.randomUUID().toString()));
    } catch (OccupiedException e) {
      HELD_HERE.remove(file);
      throw new DestinationException(justBegun(folder), e);
    } catch (ShardpressException e) { // it cannot be written, or not to the end
      HELD_HERE.remove(file);
      tryOnce(() -> remove(store, folder, number));
      throw e;
    }
    for (int old = 1; old < number; old++) {
      remove(store, folder, old);
    }
    return new Lease(store, folder, number, patience.pulse());
  }

  private static String justBegun(Location folder) {
    return "Another run has just begun at %s. Wait until it has ended, or choose another --output."
        .formatted(folder.parent());
  }

  /** Whether some process holds the lease, as far as can be told. */
  public static Optional<String> holder(Store store, Location folder, Patience patience) {
    int last = highest(store, folder);
    if (last == 0) {
      return Optional.empty();
    }
    try {
      requireGone(store, folder, last, patience);
      return Optional.empty();
    } catch (DestinationException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static void requireGone(Store store, Location folder, int number, Patience patience) {
    Optional<Holder> holder = read(store, file(folder, number));
    Optional<Boolean> told =
        holder.filter(Holder.here()::equals).isPresent()
            ? Optional.of(HELD_HERE.contains(file(folder, number)))
            : holder.flatMap(Holder::lives);
    boolean lives = told.orElseGet(() -> beats(store, pulse(folder, number), patience));
    if (lives) {
      throw new DestinationException(
          "Another run is at work at %s (%s). Wait until it has ended, stop it, or choose another --output."
              .formatted(
                  folder.parent(),
                  holder.map(Holder::toString).orElse("its record is unreadable")));
    }
  }

  private static Optional<Holder> read(Store store, Location file) {
    try {
      return SealedJson.read(store, file).map(Holder::parse);
    } catch (InputException e) {
      return Optional.empty(); // gone meanwhile, or damaged: its pulse decides
    }
  }

  private static boolean beats(Store store, Location pulse, Patience patience) {
    long end = System.nanoTime() + patience.stillness().toNanos();
    String before = text(store, pulse);
    try {
      while (System.nanoTime() < end) {
        Thread.sleep(Math.max(1, patience.pulse().toMillis() / 4));
        if (!text(store, pulse).equals(before)) {
          return true;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
    return false;
  }

  private static String text(Store store, Location pulse) {
    try {
      return new String(store.readAll(pulse, PULSE_LIMIT), StandardCharsets.US_ASCII);
    } catch (InputException e) {
      return "";
    }
  }

  /**
   * To be called before anything is published.
   *
   * @throws DestinationException when another process has taken the lease meanwhile
   */
  public void requireHeld() {
    if (highest(store, folder) != number) {
      throw new DestinationException(
          "Another run took over at %s, because this one gave no sign of life for too long. It goes on there; this one has published nothing and ends."
              .formatted(folder.parent()));
    }
  }

  private final class Beat implements Runnable {
    private long count;

    @Override
    public void run() {
      count++;
      try (OutputStream out = store.scratch(pulse(folder, number))) {
        out.write(Long.toString(count).getBytes(StandardCharsets.US_ASCII));
      } catch (IOException | ShardpressException e) {
        // Once more in a few seconds: a run does not end for a sign of life.
        LoggerFactory.getLogger(Lease.class).warn("{}", e.getMessage());
      }
    }
  }

  /** Gives the lease back; storage that cannot be reached is left to find out by itself. */
  @Override
  public void close() {
    beats.cancel(true);
    heart.shutdownNow();
    try {
      if (!heart.awaitTermination(1, TimeUnit.SECONDS)) {
        LoggerFactory.getLogger(Lease.class).warn("A pulse of {} is still being written.", folder);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    HELD_HERE.remove(file(folder, number));
    try {
      removeAll();
    } catch (ShardpressException passing) {
      tryOnce(this::removeAll);
    }
  }

  private void removeAll() {
    remove(store, folder, number);
    removeIfEmpty();
  }

  private static void tryOnce(Runnable removal) {
    try {
      removal.run();
    } catch (ShardpressException e) {
      LoggerFactory.getLogger(Lease.class).warn("{}", e.getMessage());
    }
  }

  private void removeIfEmpty() {
    if (store.list(folder).isEmpty()) {
      store.delete(folder);
    }
  }

  private static void remove(Store store, Location folder, int number) {
    store.delete(pulse(folder, number));
    store.delete(file(folder, number));
  }

  private static int highest(Store store, Location folder) {
    List<Store.Entry> entries = store.list(folder);
    return entries.stream()
        .map(entry -> NAME.matcher(entry.name()))
        .filter(java.util.regex.Matcher::matches)
        .mapToInt(name -> Integer.parseInt(name.group(1)))
        .max()
        .orElse(0);
  }

  private static Location file(Location folder, int number) {
    return folder.child("lease-%06d.json".formatted(number));
  }

  private static Location pulse(Location folder, int number) {
    return folder.child("lease-%06d.pulse".formatted(number));
  }
}
