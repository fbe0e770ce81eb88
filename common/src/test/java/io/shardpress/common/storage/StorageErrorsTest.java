package io.shardpress.common.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.TransientStorageException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.hdfs.protocol.AlreadyBeingCreatedException;
import org.apache.hadoop.hdfs.protocol.NSQuotaExceededException;
import org.apache.hadoop.ipc.RemoteException;
import org.apache.hadoop.security.AccessControlException;
import org.junit.jupiter.api.Test;

class StorageErrorsTest {
  private static final Location FILE = Location.of("s3a://bucket/file");

  @Test
  void readingTellsInputFromSurroundings() {
    assertThat(StorageErrors.reading(FILE, new FileNotFoundException("no")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("There is no s3a://bucket/file");
    assertThat(StorageErrors.reading(FILE, new FileNotFoundException("x (Permission denied)")))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("permission denied");
    assertThat(StorageErrors.reading(FILE, new AccessControlException("403")))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("credentials");
    assertThat(StorageErrors.reading(FILE, new IOException("disk on fire\nsecond line")))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("Cannot read s3a://bucket/file: disk on fire. Check");
  }

  @Test
  void writingTellsDestinationFromSurroundings() {
    assertThat(StorageErrors.writing(FILE, new FileAlreadyExistsException("x")))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("exists already");
    assertThat(StorageErrors.writing(FILE, new AccessControlException("403")))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("Cannot write s3a://bucket/file: 403. Check permissions");
    assertThat(StorageErrors.writing(FILE, new IOException("No space left on device")))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("No space left on device. Check permissions, free space");
  }

  @Test
  void whatMayPassIsToldFromWhatLasts() {
    for (IOException passing :
        new IOException[] {
          new SocketException("Connection reset"),
          new SocketTimeoutException("Read timed out"),
          new ConnectException("Connection refused"),
          new EOFException("Premature EOF"),
          new IOException("Service Unavailable (503)")
        }) {
      assertThat(StorageErrors.reading(FILE, passing))
          .isInstanceOf(TransientStorageException.class)
          .hasMessageContaining(FILE.uri());
      assertThat(StorageErrors.writing(FILE, passing))
          .isInstanceOf(TransientStorageException.class)
          .hasMessageContaining(FILE.uri());
    }
    for (Exception lasting :
        new Exception[] {
          new AccessDeniedException("403"),
          new AccessControlException("403"),
          new FileNotFoundException("404"),
          new NoSuchFileException("404"),
          new NSQuotaExceededException(1, 2),
          new IOException("No space left on device"),
          new IOException("Disk quota exceeded"),
          new FileSystemException("/x", null, "Read-only file system"),
          new PathIOException("s3a://bucket/file", "it changed while it was read"),
          new InterruptedIOException(),
          new IllegalArgumentException("a setting is wrong")
        }) {
      assertThat(StorageErrors.reading(FILE, lasting))
          .isNotInstanceOf(TransientStorageException.class);
      assertThat(StorageErrors.writing(FILE, lasting))
          .isNotInstanceOf(TransientStorageException.class);
    }
  }

  @Test
  void whatAServerOfHadoopNamesCountsAsThrown() {
    RemoteException taken =
        new RemoteException(AlreadyBeingCreatedException.class.getName(), "held by another");
    RemoteException denied =
        new RemoteException(AccessControlException.class.getName(), "user=stranger");

    assertThat(StorageErrors.writing(FILE, taken))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("exists already");
    assertThat(StorageErrors.reading(FILE, denied))
        .isInstanceOf(EnvironmentException.class)
        .isNotInstanceOf(TransientStorageException.class)
        .hasMessageContaining("permission denied");
  }

  @Test
  void namesOfExceptionClassesStayOut() {
    IOException refused = new ConnectException("Connection refused");
    assertThat(
            StorageErrors.reading(
                FILE, new IOException("java.net.ConnectException: Connection refused", refused)))
        .hasMessageEndingWith("(Connection refused)");
    assertThat(
            StorageErrors.reading(
                FILE,
                new RuntimeException("java.lang.ClassNotFoundException: Class a.B not found")))
        .hasMessageContaining("Class a.B not found")
        .hasMessageNotContaining("Exception");
    assertThat(StorageErrors.writing(FILE, new NoSuchFileException("/proc/self/out")))
        .hasMessageContaining(": /proc/self/out: no such file or folder. Check permissions");
    assertThat(
            StorageErrors.writing(
                FILE, new FileSystemException("/x", null, "Read-only file system")))
        .hasMessageContaining(": /x: Read-only file system. Check permissions");
    assertThat(StorageErrors.reading(FILE, new SocketTimeoutException()))
        .hasMessageEndingWith("(socket timeout)");
  }

  @Test
  void anUnreachableHostIsTheSurroundingsFaultHoweverDeepTheCause() {
    for (IOException cause :
        new IOException[] {
          new UnknownHostException("h"), new ConnectException("h"), new SocketTimeoutException("h")
        }) {
      RuntimeException wrapped = new IllegalArgumentException(new IOException("outer", cause));
      assertThat(StorageErrors.reading(FILE, wrapped)).isInstanceOf(EnvironmentException.class);
      assertThat(StorageErrors.writing(FILE, wrapped))
          .isInstanceOf(EnvironmentException.class)
          .hasMessageContaining("cannot be reached");
    }
    assertThat(StorageErrors.reading(FILE, new InterruptedIOException()))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("interrupted");
  }
}
