package io.shardpress.common.storage;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.OccupiedException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.error.TransientStorageException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.fs.ClusterStorageCapacityExceededException;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.hdfs.protocol.AlreadyBeingCreatedException;
import org.apache.hadoop.ipc.RemoteException;
import org.apache.hadoop.security.AccessControlException;

/** Turns what file systems throw into the typed errors of {@link Store}. */
final class StorageErrors {
  /** What Hadoop's messages repeat of the exceptions that they wrap. */
  private static final Pattern CLASS_NAME = Pattern.compile("\\b[a-z]+(\\.\\w+)*Exception: ");

  /** What plain {@code IOException}s of local disks say; HDFS has types for its quotas. */
  private static final Pattern LASTING =
      Pattern.compile("No space left|[Qq]uota exceeded|Read-only file system|File name too long");

  /** How S3A, which need not be there, reports that a file to be created exists. */
  private static final String UNMET_CONDITION =
      "org.apache.hadoop.fs.s3a.RemoteFileChangedException";

  private StorageErrors() {}

  static ShardpressException reading(Location location, Throwable cause) {
    if (anyOf(cause, List.of(FileNotFoundException.class, NoSuchFileException.class))
        && !isDenied(cause)) {
      return missing(location);
    }
    if (anyOf(cause, List.of(EOFException.class))) { // within the length that it was opened with
      return new TransientStorageException(
          location
              + " ended before the bytes that should be in it. Start again; if it ends there again,"
              + " copy or download it again.",
          cause);
    }
    return surroundings("read", location, cause)
        .orElseGet(
            () ->
                isLasting(cause)
                    ? new EnvironmentException(
                        "Cannot read %s: %s. Check the storage and start again."
                            .formatted(location, describe(cause)),
                        cause)
                    : mayPass("read", location, cause));
  }

  static ShardpressException writing(Location location, Throwable cause) {
    boolean taken =
        anyOf(
            cause,
            List.of(
                FileAlreadyExistsException.class,
                org.apache.hadoop.fs.FileAlreadyExistsException.class,
                AlreadyBeingCreatedException.class));
    if (taken || causes(cause).anyMatch(c -> c.getClass().getName().equals(UNMET_CONDITION))) {
      return occupied(location);
    }
    if (!isDenied(cause)) {
      Optional<ShardpressException> surroundings = surroundings("write", location, cause);
      if (surroundings.isPresent()) {
        return surroundings.get();
      }
      if (!isLasting(cause)) {
        return mayPass("write", location, cause);
      }
    }
    return new DestinationException(
        "Cannot write %s: %s. Check permissions, free space and quota, or choose another destination."
            .formatted(location, describe(cause)),
        cause);
  }

  /** What clients report that have given up trying again; they name their own exceptions. */
  private static TransientStorageException mayPass(
      String verb, Location location, Throwable cause) {
    return new TransientStorageException(
        "Cannot %s %s: %s. Check the storage and start again."
            .formatted(verb, location, describe(cause)),
        cause);
  }

  /** Whether trying again would fail alike: no fault of a connection or a server. */
  private static boolean isLasting(Throwable cause) {
    return !anyOf(cause, List.of(IOException.class))
        || anyOf(
            cause,
            List.of(
                FileSystemException.class,
                FileNotFoundException.class,
                PathIOException.class,
                ClusterStorageCapacityExceededException.class))
        || messages(cause).anyMatch(message -> LASTING.matcher(message).find());
  }

  static InputException missing(Location location) {
    return new InputException(
        "There is no " + location + ". Check the path, and that it is visible from every machine.");
  }

  static InputException folder(Location location) {
    return new InputException(location + " is a folder, not a file. Name a file.");
  }

  static InputException file(Location location) {
    return new InputException(location + " is a file, not a folder. Name the folder.");
  }

  static InputException tooLong(Location location, long length, long limit) {
    return new InputException(
        "%s has %d bytes; at most %d are read of such a file. Check that it is the right one."
            .formatted(location, length, limit));
  }

  static InputException endsEarly(Location location, long offset, long count, long length) {
    return new InputException(
        "%s ends at byte %d, but bytes %d to %d were to be read. Copy or download it again."
            .formatted(location, length, offset, offset + count));
  }

  static OccupiedException occupied(Location location) {
    return new OccupiedException(
        location + " exists already and is not overwritten. Choose another destination.");
  }

  /** Unreachable, unknown, closed to us, or interrupted. */
  private static Optional<ShardpressException> surroundings(
      String verb, Location location, Throwable cause) {
    String fix;
    if (anyOf(
        cause,
        List.of(
            UnknownHostException.class,
            ConnectException.class,
            NoRouteToHostException.class,
            SocketTimeoutException.class))) {
      return Optional.of(
          new TransientStorageException(
              surroundings(
                  verb,
                  location,
                  "the storage cannot be reached. Check the host name, the endpoint and the"
                      + " network",
                  cause),
              cause));
    } else if (isUnknownScheme(cause)) {
      fix =
          "no file system for '%s' is installed. Put its Hadoop connector on the class path (for s3a: hadoop-aws)"
              .formatted(location.scheme());
    } else if (isDenied(cause)) {
      fix = "permission denied. Check the credentials and the rights of this user";
    } else if (anyOf(
        cause, List.of(InterruptedIOException.class, ClosedByInterruptException.class))) {
      fix = "interrupted. Start the same command again to go on";
    } else {
      return Optional.empty();
    }
    return Optional.of(new EnvironmentException(surroundings(verb, location, fix, cause), cause));
  }

  private static String surroundings(String verb, Location location, String fix, Throwable cause) {
    return "Cannot %s %s: %s. (%s)".formatted(verb, location, fix, describe(cause));
  }

  private static boolean isUnknownScheme(Throwable cause) {
    return anyOf(cause, List.of(UnsupportedFileSystemException.class, ClassNotFoundException.class))
        || messages(cause).anyMatch(message -> message.contains("No FileSystem for scheme"));
  }

  private static boolean isDenied(Throwable cause) {
    return anyOf(cause, List.of(AccessControlException.class, AccessDeniedException.class))
        || messages(cause).anyMatch(message -> message.contains("Permission denied"));
  }

  private static Stream<String> messages(Throwable cause) {
    return causes(cause).map(c -> String.valueOf(c.getMessage()));
  }

  private static boolean anyOf(Throwable cause, List<Class<? extends Throwable>> types) {
    return causes(cause).anyMatch(c -> types.stream().anyMatch(type -> isOf(c, type)));
  }

  /** Servers of Hadoop name the types of their exceptions. */
  private static boolean isOf(Throwable cause, Class<? extends Throwable> type) {
    return type.isInstance(cause)
        || (cause instanceof RemoteException told && told.getClassName().equals(type.getName()));
  }

  private static Stream<Throwable> causes(Throwable cause) {
    return Stream.iterate(cause, c -> c != null, Throwable::getCause).limit(20);
  }

  /** The cause in words; names of exception classes say nothing to a user. */
  private static String describe(Throwable cause) {
    Throwable root = causes(cause).reduce((outer, inner) -> inner).orElse(cause);
    if (root instanceof FileSystemException local) {
      String reason = local.getReason();
      return local.getFile() + ": " + (reason == null ? kind(root) : reason);
    }
    String message = root.getMessage();
    return message == null || message.isBlank()
        ? kind(root)
        : CLASS_NAME.matcher(message.lines().findFirst().orElse("")).replaceAll("");
  }

  private static String kind(Throwable cause) {
    if (cause instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (cause instanceof AccessDeniedException) {
      return "permission denied";
    }
    String type = cause.getClass().getSimpleName().replaceFirst("(Exception|Error)$", "");
    return type.replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
  }
}
