package io.shardpress.common.storage;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Local files without Hadoop's checksum files and with atomic creation ({@code CREATE_NEW}), which
 * Hadoop's local file system has not. Assumes a POSIX-like file system. A file that is no scratch
 * is forced to the disk before its close returns.
 */
final class LocalFiles implements Store {
  private static final int BUFFER = 1 << 16;
  private static final OpenOption[] REPLACING = {
    StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING
  };
  private static final Force DURABLE = channel -> channel.force(true);

  /** What happens to a file's bytes before it is closed. */
  private interface Force {
    void run(FileChannel channel) throws IOException;
  }

  @Override
  public boolean exists(Location location) {
    return Files.exists(path(location));
  }

  @Override
  public long length(Location file) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(path(file), BasicFileAttributes.class);
      if (attributes.isDirectory()) {
        throw StorageErrors.folder(file);
      }
      return attributes.size();
    } catch (IOException e) {
      throw StorageErrors.reading(file, e);
    }
  }

  @Override
  public List<Entry> list(Location folder) {
    List<Entry> entries = new ArrayList<>();
    try (DirectoryStream<Path> names = Files.newDirectoryStream(path(folder))) {
      for (Path name : names) {
        boolean directory = Files.isDirectory(name);
        boolean link = !Files.exists(name); // a link that leads nowhere is still a name
        long length = directory || link ? 0 : Files.size(name);
        entries.add(new Entry(name.getFileName().toString(), length, directory));
      }
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (NotDirectoryException e) {
      throw StorageErrors.file(folder);
    } catch (IOException e) {
      throw StorageErrors.reading(folder, e);
    }
    entries.sort(Comparator.comparing(Entry::name));
    return List.copyOf(entries);
  }

  @Override
  public SeekableInput open(Location file) {
    long length = length(file);
    try {
      FileChannel channel = FileChannel.open(path(file), StandardOpenOption.READ);
      return new Input(file, channel, length);
    } catch (IOException e) {
      throw StorageErrors.reading(file, e);
    }
  }

  @Override
  public OutputStream create(Location file) {
    return output(file, DURABLE, StandardOpenOption.CREATE_NEW);
  }

  @Override
  public OutputStream replace(Location file) {
    return output(file, DURABLE, REPLACING);
  }

  @Override
  public OutputStream scratch(Location file) {
    return output(file, channel -> {}, REPLACING);
  }

  private static OutputStream output(Location file, Force force, OpenOption... options) {
    Path path = path(file);
    try {
      makeFolders(path.getParent());
      List<OpenOption> all = new ArrayList<>(List.of(options));
      all.add(StandardOpenOption.WRITE);
      FileChannel channel = FileChannel.open(path, all.toArray(OpenOption[]::new));
      OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER);
      return new TypedOutput(file, out, () -> force.run(channel));
    } catch (IOException e) {
      throw StorageErrors.writing(file, e);
    }
  }

  private static void makeFolders(Path folder) throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (FileAlreadyExistsException e) { // the file to write is not what is in the way
      throw new FileSystemException(e.getFile(), null, "a file, not a folder");
    }
  }

  @Override
  public boolean movesAtOnce(Location location) {
    return true;
  }

  /** By a link, which unlike a rename never takes the place of a file. */
  @Override
  public boolean move(Location from, Location to) {
    try {
      makeFolders(path(to).getParent());
      Files.createLink(path(to), path(from));
      Files.delete(path(from));
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (UnsupportedOperationException e) {
      return rename(from, to);
    } catch (IOException e) {
      throw StorageErrors.writing(to, e);
    }
  }

  /** Where there are no links. */
  private static boolean rename(Location from, Location to) {
    try {
      Files.move(path(from), path(to));
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      throw StorageErrors.writing(to, e);
    }
  }

  @Override
  public void delete(Location location) {
    Path path = path(location);
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      Files.walkFileTree(path, new Remover());
    } catch (IOException e) {
      throw StorageErrors.writing(location, e);
    }
  }

  @Override
  public Location resolve(Location location) {
    Path path = path(location);
    try {
      return Location.of(path.toRealPath().toString());
    } catch (NoSuchFileException e) {
      return location;
    } catch (IOException e) {
      if (isBelowFile(path)) {
        return location;
      }
      throw StorageErrors.reading(location, e);
    }
  }

  private static boolean isBelowFile(Path path) {
    Path parent = path.getParent();
    return parent != null && (Files.isRegularFile(parent) || isBelowFile(parent));
  }

  private static Path path(Location location) {
    return Path.of(location.path());
  }

  /** Removes files before their folder; a link is removed, not followed. */
  private static final class Remover extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, IOException error) throws IOException {
      if (error != null) {
        throw error;
      }
      Files.deleteIfExists(folder);
      return FileVisitResult.CONTINUE;
    }
  }

  private record Input(Location file, FileChannel channel, long length) implements SeekableInput {
    @Override
    public void read(long offset, ByteBuffer into) {
      long position = offset;
      int count = into.remaining();
      try {
        while (into.hasRemaining()) {
          int read = channel.read(piece(into), position);
          if (read < 0) {
            throw StorageErrors.endsEarly(file, offset, count, length);
          }
          position += read;
          into.position(into.position() + read);
        }
      } catch (IOException e) {
        throw StorageErrors.reading(file, e);
      }
    }

    /** The JDK keeps a direct buffer per thread, as large as the largest transfer. */
    private static ByteBuffer piece(ByteBuffer into) {
      return into.slice(into.position(), Math.min(into.remaining(), TypedOutput.PIECE));
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        throw StorageErrors.reading(file, e);
      }
    }
  }
}
