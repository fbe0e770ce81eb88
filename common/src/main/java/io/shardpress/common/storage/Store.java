package io.shardpress.common.storage;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Files by location. What every implementation promises:
 *
 * <ol>
 *   <li>A file that {@link #create} closed without error is complete and visible to every later
 *       call, from any process.
 *   <li>{@link #create} never touches an existing file. Where the file system can, it is atomic: of
 *       two writers of one location one fails, at the latest on {@code close()}.
 *   <li>Nothing is written beside the files asked for: no checksum, no temporary file.
 *   <li>A read returns exactly the bytes asked for, or throws.
 *   <li>Nothing is renamed but by {@link #move}.
 * </ol>
 *
 * <p>Errors: a missing or short file is an {@link io.shardpress.common.error.InputException}; a
 * destination that is not writable a {@link io.shardpress.common.error.DestinationException}, one
 * that is occupied an {@link io.shardpress.common.error.OccupiedException}; storage that is
 * unreachable, unknown or closed to us an {@link io.shardpress.common.error.EnvironmentException}.
 * The streams returned throw the same and no {@link java.io.IOException}, and are {@link
 * Discardable}. Implementations are safe for use by several threads.
 */
public interface Store {

  /** Whether a file or folder is there. */
  boolean exists(Location location);

  /** Length of a file in bytes. */
  long length(Location file);

  /** What lies directly in a folder, sorted by name; empty when there is no such folder. */
  List<Entry> list(Location folder);

  /** Opens a file for range reads. */
  SeekableInput open(Location file);

  /** Starts a new file, making the folders above it; fails if the location is occupied. */
  OutputStream create(Location file);

  /** Starts a file, in the place of one that may exist. A reader may meet it half written. */
  OutputStream replace(Location file);

  /**
   * {@link #replace} for what a run can make again: the file need not outlive a loss of power, so
   * nobody waits for the disk.
   */
  default OutputStream scratch(Location file) {
    return replace(file);
  }

  /**
   * Whether {@link #move} puts a file at {@code location} in one step. Object stores have no such
   * thing and need none: there a file appears whole, when it is closed.
   */
  boolean movesAtOnce(Location location);

  /**
   * Puts a whole file in another place of the same file system, unless one is there already; to be
   * called where {@link #movesAtOnce}.
   *
   * @return whether it was moved; otherwise {@code from} stays
   */
  boolean move(Location from, Location to);

  /** Removes a file, or a folder with all it holds; absent is fine. */
  void delete(Location location);

  /** The location after following links; itself where the file system has none. */
  Location resolve(Location location);

  /** Fills {@code into} with the bytes of a file from {@code offset} on. */
  default void read(Location file, long offset, ByteBuffer into) {
    try (SeekableInput input = open(file)) {
      input.read(offset, into);
    }
  }

  /** The whole of a small file; refuses one above {@code limit} bytes before reading it. */
  default byte[] readAll(Location file, long limit) {
    try (SeekableInput input = open(file)) {
      if (input.length() > limit) {
        throw StorageErrors.tooLong(file, input.length(), limit);
      }
      byte[] bytes = new byte[Math.toIntExact(input.length())];
      input.read(0, ByteBuffer.wrap(bytes));
      return bytes;
    }
  }

  /**
   * One name in a folder.
   *
   * @param length bytes of a file, 0 for a folder
   */
  record Entry(String name, long length, boolean directory) {}
}
