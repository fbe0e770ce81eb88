package io.shardpress.integration.faults;

import io.shardpress.integration.faults.Fault.Effect;
import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIsNotEmptyDirectoryException;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Local files as {@code faulty://<name>/absolute/path}, with the {@link Faults} of that name. Found
 * by Hadoop wherever this class is on the class path. Creation is exclusive, nothing is buffered.
 */
public final class FaultyFileSystem extends FileSystem {
  private static final int BLOCK = 1 << 25;

  private URI uri;
  private Faults faults;

  @Override
  public void initialize(URI name, Configuration configuration) throws IOException {
    super.initialize(name, configuration);
    setConf(configuration);
    uri = URI.create(name.getScheme() + "://" + name.getAuthority());
    faults = Faults.named(name.getAuthority(), configuration);
  }

  @Override
  public String getScheme() {
    return "faulty";
  }

  @Override
  public URI getUri() {
    return uri;
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    return run(
        Operation.OPEN,
        path,
        () -> new FSDataInputStream(new FaultyInput(faults, local(path), missing(path))));
  }

  private static FileNotFoundException missing(Path path) {
    return new FileNotFoundException("There is no " + path);
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return run(
        Operation.CREATE,
        path,
        () -> {
          java.nio.file.Path file = local(path);
          Files.createDirectories(file.getParent());
          if (overwrite && Files.exists(file)) {
            faults.giveBack(Files.size(file));
          }
          StandardOpenOption[] options =
              overwrite
                  ? new StandardOpenOption[] {
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE
                  }
                  : new StandardOpenOption[] {
                    StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE
                  };
          try {
            return new FSDataOutputStream(
                new FaultyOutput(
                    faults, path.toUri().getPath(), Files.newOutputStream(file, options)),
                null);
          } catch (FileAlreadyExistsException e) {
            throw new org.apache.hadoop.fs.FileAlreadyExistsException(path + " exists");
          }
        });
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException("Nothing is appended to");
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    return run(
        Operation.RENAME,
        to,
        () -> {
          try {
            Files.createLink(local(to), local(from)); // never in the place of a file
          } catch (FileAlreadyExistsException | NoSuchFileException e) {
            return false;
          }
          Files.delete(local(from));
          return true;
        });
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    return run(
        Operation.DELETE,
        path,
        () -> {
          java.nio.file.Path file = local(path);
          if (!Files.exists(file)) {
            return false;
          }
          try (Stream<java.nio.file.Path> below = Files.walk(file)) {
            List<java.nio.file.Path> all =
                below.sorted(java.util.Comparator.reverseOrder()).toList();
            if (all.size() > 1 && !recursive) {
              throw new PathIsNotEmptyDirectoryException(path.toString());
            }
            for (java.nio.file.Path one : all) {
              faults.giveBack(Files.isRegularFile(one) ? Files.size(one) : 0);
              Files.deleteIfExists(one);
            }
          }
          return true;
        });
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    return run(
        Operation.LIST,
        path,
        () -> {
          java.nio.file.Path folder = local(path);
          if (!Files.isDirectory(folder)) {
            return new FileStatus[] {status(path)};
          }
          List<FileStatus> found = new ArrayList<>();
          try (DirectoryStream<java.nio.file.Path> names = Files.newDirectoryStream(folder)) {
            for (java.nio.file.Path name : names) {
              found.add(
                  status(new Path(path, new Path(null, null, name.getFileName().toString()))));
            }
          }
          return found.toArray(FileStatus[]::new);
        });
  }

  @Override
  public boolean mkdirs(Path path, FsPermission permission) throws IOException {
    return run(
        Operation.MKDIRS,
        path,
        () -> {
          Files.createDirectories(local(path));
          return true;
        });
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    return run(Operation.STATUS, path, () -> status(path));
  }

  private FileStatus status(Path path) throws IOException {
    try {
      BasicFileAttributes found = Files.readAttributes(local(path), BasicFileAttributes.class);
      return new FileStatus(
          found.isDirectory() ? 0 : found.size(),
          found.isDirectory(),
          1,
          BLOCK,
          found.lastModifiedTime().toMillis(),
          makeQualified(path));
    } catch (NoSuchFileException e) {
      throw missing(path);
    }
  }

  @Override
  public void setWorkingDirectory(Path path) {
    throw new UnsupportedOperationException("Locations are absolute");
  }

  @Override
  public Path getWorkingDirectory() {
    return new Path(uri + "/");
  }

  private static java.nio.file.Path local(Path path) {
    return java.nio.file.Path.of(path.toUri().getPath());
  }

  private interface Body<T> {
    T run() throws IOException;
  }

  private <T> T run(Operation operation, Path path, Body<T> body) throws IOException {
    String where = path.toUri().getPath();
    Optional<Fault> fault = faults.meet(operation, where);
    if (fault.isEmpty()) {
      return body.run();
    }
    Faults.strike(fault.get(), operation, where);
    T done = body.run();
    if (fault.get().effect() == Effect.LOSE_ANSWER && done instanceof Closeable open) {
      open.close();
    }
    Faults.strikeAfter(fault.get(), operation, where);
    return done;
  }
}
