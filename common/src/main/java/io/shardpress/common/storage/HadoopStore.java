package io.shardpress.common.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Options.OpenFileOptions;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.util.functional.FutureIO;

/**
 * Files on any file system that Hadoop knows, chosen by the scheme of each location, and local
 * files. Carries its Hadoop configuration through Java serialization, so that a task on another
 * machine reaches the same storage.
 *
 * <p>Assumes that the file system is consistent after close and that its {@code create} without
 * overwrite is exclusive: atomic on HDFS, by conditional request on object stores whose connector
 * supports it, otherwise a check before writing.
 */
public final class HadoopStore implements Store, java.io.Serializable {
  private static final long serialVersionUID = 1L;
  private static final LocalFiles LOCAL = new LocalFiles();

  /** Where renaming is copying. */
  private static final Set<String> OBJECT_STORES =
      Set.of("s3a", "s3", "s3n", "gs", "oss", "cosn", "obs", "wasb", "wasbs", "swift");

  private final SerializedConfiguration configuration;

  private HadoopStore(SerializedConfiguration configuration) {
    this.configuration = configuration;
  }

  /** A store that reaches its file systems with this configuration, which is copied. */
  public static HadoopStore of(Configuration configuration) {
    Configuration own = new Configuration(configuration);
    // S3A's other stream does not try again when an answer breaks off, and hides why: a missing
    // right reads as "Stream is closed".
    own.setIfUnset("fs.s3a.input.stream.type", "classic");
    return new HadoopStore(new SerializedConfiguration(own));
  }

  @Override
  public boolean exists(Location location) {
    if (isLocal(location)) {
      return LOCAL.exists(location);
    }
    try {
      return fileSystem(location).exists(path(location));
    } catch (IOException e) {
      throw StorageErrors.reading(location, e);
    }
  }

  @Override
  public long length(Location file) {
    return isLocal(file) ? LOCAL.length(file) : status(file).getLen();
  }

  @Override
  public List<Entry> list(Location folder) {
    if (isLocal(folder)) {
      return LOCAL.list(folder);
    }
    try {
      FileStatus[] found = fileSystem(folder).listStatus(path(folder));
      if (found.length == 1 && found[0].isFile() && isSame(found[0].getPath(), folder)) {
        throw StorageErrors.file(folder);
      }
      return Arrays.stream(found)
          .map(s -> new Entry(s.getPath().getName(), s.isFile() ? s.getLen() : 0, s.isDirectory()))
          .sorted(Comparator.comparing(Entry::name))
          .toList();
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw StorageErrors.reading(folder, e);
    }
  }

  @Override
  public SeekableInput open(Location file) {
    if (isLocal(file)) {
      return LOCAL.open(file);
    }
    FileStatus status = status(file);
    try {
      return new HadoopInput(file, status.getLen(), () -> stream(file, status));
    } catch (IOException e) {
      throw StorageErrors.reading(file, e);
    }
  }

  private FSDataInputStream stream(Location file, FileStatus status) throws IOException {
    return FutureIO.awaitFuture(
        fileSystem(file)
            .openFile(path(file))
            .withFileStatus(status)
            .opt(
                OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_RANDOM)
            .build());
  }

  @Override
  public OutputStream create(Location file) {
    if (isLocal(file)) {
      return LOCAL.create(file);
    }
    if (exists(file)) { // some connectors would report an existing folder only at close
      throw StorageErrors.occupied(file);
    }
    try {
      FSDataOutputStreamBuilder<?, ?> builder = fileSystem(file).createFile(path(file));
      builder.overwrite(false).recursive();
      builder.opt(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, "true");
      return output(file, builder.build());
    } catch (IOException e) {
      throw StorageErrors.writing(file, e);
    }
  }

  @Override
  public OutputStream replace(Location file) {
    if (isLocal(file)) {
      return LOCAL.replace(file);
    }
    try {
      FSDataOutputStreamBuilder<?, ?> builder = fileSystem(file).createFile(path(file));
      builder.overwrite(true).recursive();
      return output(file, builder.build());
    } catch (IOException e) {
      throw StorageErrors.writing(file, e);
    }
  }

  @Override
  public OutputStream scratch(Location file) {
    return isLocal(file) ? LOCAL.scratch(file) : replace(file);
  }

  @Override
  public boolean movesAtOnce(Location location) {
    return !OBJECT_STORES.contains(location.scheme());
  }

  @Override
  public boolean move(Location from, Location to) {
    if (isLocal(from)) {
      return LOCAL.move(from, to);
    }
    try {
      FileSystem files = fileSystem(to);
      if (files.exists(path(to))) {
        return false;
      }
      files.mkdirs(path(to).getParent());
      if (files.rename(path(from), path(to))) {
        return true;
      }
      if (files.exists(path(to))) {
        return false;
      }
      throw new IOException("the file system does not rename " + from + " to it");
    } catch (IOException e) {
      throw StorageErrors.writing(to, e);
    }
  }

  @Override
  public void delete(Location location) {
    if (isLocal(location)) {
      LOCAL.delete(location);
      return;
    }
    try {
      fileSystem(location).delete(path(location), true);
    } catch (FileNotFoundException e) {
      return; // somebody else was faster
    } catch (IOException e) {
      throw StorageErrors.writing(location, e);
    }
  }

  /** Hadoop's other file systems have no links, or have them switched off. */
  @Override
  public Location resolve(Location location) {
    return isLocal(location) ? LOCAL.resolve(location) : location;
  }

  private FileStatus status(Location file) {
    try {
      FileStatus status = fileSystem(file).getFileStatus(path(file));
      if (status.isDirectory()) {
        throw StorageErrors.folder(file);
      }
      return status;
    } catch (IOException e) {
      throw StorageErrors.reading(file, e);
    }
  }

  /** Connectors report a wrong host or a missing class as unchecked exceptions and errors too. */
  private FileSystem fileSystem(Location location) {
    try {
      return FileSystem.get(path(location).toUri(), configuration.value());
    } catch (IOException | RuntimeException | LinkageError e) {
      throw StorageErrors.reading(location, e);
    }
  }

  private static OutputStream output(Location file, FSDataOutputStream stream) {
    return new TypedOutput(
        file,
        stream,
        () -> {
          if (stream.hasCapability(StreamCapabilities.HSYNC)) {
            stream.hsync();
          }
        });
  }

  private static boolean isLocal(Location location) {
    return location.scheme().equals("file");
  }

  private static boolean isSame(Path found, Location location) {
    return found.toUri().getPath().equals(path(location).toUri().getPath());
  }

  private static Path path(Location location) {
    return new Path(location.uri());
  }
}
