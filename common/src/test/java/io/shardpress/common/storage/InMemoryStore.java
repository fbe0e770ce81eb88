package io.shardpress.common.storage;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * A store without a disk, for tests. A file appears when its stream is closed; folders exist as
 * long as something lies in them. Keeps the location of every file opened or asked about.
 */
public final class InMemoryStore implements Store {
  private final ConcurrentSkipListMap<String, byte[]> files = new ConcurrentSkipListMap<>();
  private final List<Location> touched = java.util.Collections.synchronizedList(new ArrayList<>());

  /** Puts a file in place, whatever was there. */
  public void put(Location file, byte[] bytes) {
    files.put(file.uri(), bytes.clone());
  }

  /** All locations that were looked at or opened, in order. */
  public List<Location> touched() {
    return List.copyOf(touched);
  }

  @Override
  public boolean exists(Location location) {
    touched.add(location);
    return files.containsKey(location.uri()) || !below(location).isEmpty();
  }

  @Override
  public long length(Location file) {
    return bytes(file).length;
  }

  @Override
  public List<Entry> list(Location folder) {
    touched.add(folder);
    if (files.containsKey(folder.uri())) {
      throw StorageErrors.file(folder);
    }
    TreeMap<String, Entry> entries = new TreeMap<>();
    below(folder)
        .forEach(
            (name, bytes) -> {
              int slash = name.indexOf('/');
              String first = slash < 0 ? name : name.substring(0, slash);
              entries.put(first, new Entry(first, slash < 0 ? bytes.length : 0, slash >= 0));
            });
    return List.copyOf(entries.values());
  }

  @Override
  public SeekableInput open(Location file) {
    byte[] bytes = bytes(file);
    return new SeekableInput() {
      @Override
      public long length() {
        return bytes.length;
      }

      @Override
      public void read(long offset, ByteBuffer into) {
        int count = into.remaining();
        if (offset < 0 || offset > bytes.length - count) {
          throw StorageErrors.endsEarly(file, offset, count, bytes.length);
        }
        into.put(bytes, (int) offset, count);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public OutputStream create(Location file) {
    if (exists(file)) {
      throw StorageErrors.occupied(file);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    return new TypedOutput(
        file,
        bytes,
        () -> {
          if (files.putIfAbsent(file.uri(), bytes.toByteArray()) != null) {
            throw StorageErrors.occupied(file);
          }
        });
  }

  @Override
  public OutputStream replace(Location file) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    return new TypedOutput(file, bytes, () -> put(file, bytes.toByteArray()));
  }

  @Override
  public boolean movesAtOnce(Location location) {
    return true;
  }

  @Override
  public boolean move(Location from, Location to) {
    if (files.putIfAbsent(to.uri(), bytes(from)) != null) {
      return false;
    }
    files.remove(from.uri());
    return true;
  }

  @Override
  public void delete(Location location) {
    files.remove(location.uri());
    below(location).keySet().forEach(name -> files.remove(prefix(location) + name));
  }

  @Override
  public Location resolve(Location location) {
    return location;
  }

  private byte[] bytes(Location file) {
    touched.add(file);
    byte[] bytes = files.get(file.uri());
    if (bytes == null) {
      throw below(file).isEmpty() ? StorageErrors.missing(file) : StorageErrors.folder(file);
    }
    return bytes;
  }

  /** Files under a folder by their path relative to it. */
  private Map<String, byte[]> below(Location folder) {
    String prefix = prefix(folder);
    TreeMap<String, byte[]> found = new TreeMap<>();
    files.tailMap(prefix).entrySet().stream()
        .takeWhile(file -> file.getKey().startsWith(prefix))
        .forEach(file -> found.put(file.getKey().substring(prefix.length()), file.getValue()));
    return found;
  }

  private static String prefix(Location folder) {
    return folder.uri().endsWith("/") ? folder.uri() : folder.uri() + "/";
  }
}
