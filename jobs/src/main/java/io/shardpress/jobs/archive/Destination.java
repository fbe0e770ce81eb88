package io.shardpress.jobs.archive;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.OccupiedException;
import io.shardpress.common.error.PublishUnknownException;
import io.shardpress.common.storage.Discardable;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.run.Workspace;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.UUID;

/**
 * A folder that was empty and that one command fills: every file appears whole or not at all, and
 * the one that makes them count is the last.
 *
 * @param aside for files until they are whole
 */
record Destination(HadoopStore store, Location folder, Location aside) implements Serializable {

  static Destination of(HadoopStore store, Location folder) {
    return new Destination(store, folder, Workspace.beside(folder, UUID.randomUUID()).root());
  }

  /** Where the lease on the folder lies. */
  Location staging() {
    return folder.child(Workspace.STAGING);
  }

  /**
   * Refuses a folder that the command cannot fill; changes nothing.
   *
   * @throws DestinationException when it holds anything, or lies within what is read, or around it
   */
  void requireUsable(Location source) {
    Location place = store.resolve(folder);
    Location read = store.resolve(source);
    if (place.isWithin(read) || read.isWithin(place)) {
      throw new DestinationException(
          "The destination %s and %s are in one another. Choose another destination: what is read is never written to."
              .formatted(folder, source));
    }
    List<String> present = present();
    if (!present.isEmpty()) {
      throw new DestinationException(
          "The destination %s is not empty: it holds %s%s. Choose another one; if these were left by an archive or a restore that was killed, remove them."
              .formatted(
                  folder,
                  String.join(", ", present.subList(0, Math.min(3, present.size()))),
                  present.size() > 3 ? " and %d more".formatted(present.size() - 3) : ""));
    }
  }

  private List<String> present() {
    try {
      return store.list(folder).stream()
          .map(Store.Entry::name)
          .filter(name -> !name.equals(Workspace.STAGING))
          .toList();
    } catch (InputException e) {
      throw new DestinationException(
          "The destination %s cannot be a folder: it, or a part of its path, is a file. Choose another one."
              .formatted(folder),
          e);
    }
  }

  /** Fills a file. */
  interface Content<R> {
    R writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes one file. Attempts that run at once do not meet: each writes one of its own, and the
   * first that is whole stays.
   */
  <R> R write(String name, Content<R> content) {
    Location target = folder.child(name);
    if (!store.movesAtOnce(target)) {
      return whole(target, content);
    }
    Location own = aside.child(UUID.randomUUID().toString());
    R result = whole(own, content);
    if (!store.move(own, target)) {
      store.delete(own); // another attempt was faster, with the same bytes
    }
    return result;
  }

  private <R> R whole(Location file, Content<R> content) {
    try (Unfinished out = new Unfinished(store.replace(file))) {
      R result = content.writeTo(out.stream);
      out.finish();
      return result;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Given up, if it can be, unless it was finished. */
  private static final class Unfinished implements AutoCloseable {
    private final OutputStream stream;
    private boolean finished;

    Unfinished(OutputStream stream) {
      this.stream = stream;
    }

    void finish() {
      finished = true;
    }

    @Override
    public void close() throws IOException {
      if (!finished && stream instanceof Discardable file) {
        file.discard();
      } else {
        stream.close();
      }
    }
  }

  /**
   * Writes the file that makes all others count.
   *
   * @throws PublishUnknownException when it cannot be learned whether that succeeded
   */
  void commit(String name, byte[] bytes) {
    Location file = folder.child(name);
    try (OutputStream out = store.create(file)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (EnvironmentException | OccupiedException lost) {
      if (!isWritten(file, bytes, lost)) {
        throw lost;
      }
    }
  }

  /** The answer to the last write was lost: what is there decides. */
  private boolean isWritten(Location file, byte[] bytes, RuntimeException lost) {
    try {
      return store.exists(file) && Arrays.equals(store.readAll(file, bytes.length), bytes);
    } catch (InputException e) {
      return false; // it is longer than that
    } catch (EnvironmentException e) {
      e.addSuppressed(lost);
      throw new PublishUnknownException(
          "It could not be learned whether %s was written, so whether %s is complete is unknown; nothing was removed. When the storage answers again, look whether that file is there; if it is not, empty the folder and start the same command again. (%s)"
              .formatted(file, folder, e.getMessage()),
          e);
    }
  }

  /** Removes what lies aside. */
  void tidy() {
    store.delete(aside);
  }

  /**
   * Takes back what may have been written.
   *
   * @param cause of it, to which trouble on the way is added
   */
  void withdraw(Collection<String> names, RuntimeException cause) {
    try {
      names.forEach(name -> store.delete(folder.child(name)));
      tidy();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }
}
