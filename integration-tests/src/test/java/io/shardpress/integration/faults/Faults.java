package io.shardpress.integration.faults;

import io.shardpress.integration.faults.Fault.Effect;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.AccessControlException;

/**
 * What goes wrong with the file system {@code faulty://<name>/}, and what was asked of it. Hadoop
 * makes its file systems itself, and tasks arrive by serialization, so a test and the file systems
 * find each other by the name, of which each test has one of its own. In another process the faults
 * come from the file that {@link #FILE} names.
 */
public final class Faults {
  /** Hadoop setting of a process: a file of {@linkplain Fault#line lines}. */
  public static final String FILE = "fs.faulty.faults";

  /** How the line begins that a process prints as an operation begins that is slow. */
  public static final String SLOW_LINE = "slow, ";

  private static final ConcurrentMap<String, Faults> KNOWN = new ConcurrentHashMap<>();
  private static final int KILLED = 137;

  private final String name;
  private final List<Injected> injected = new ArrayList<>();
  private final List<Touch> touched = new ArrayList<>();
  private long room = Long.MAX_VALUE;

  /** An operation that was asked for. */
  public record Touch(Operation operation, String path) {}

  private static final class Injected {
    private final Fault fault;
    private long met;

    Injected(Fault fault) {
      this.fault = fault;
    }
  }

  private Faults(String name) {
    this.name = name;
  }

  /** Those of a name; none at first. */
  public static Faults named(String name) {
    return KNOWN.computeIfAbsent(name, Faults::new);
  }

  /** Those of a name, in a process that may have been told of them by a file. */
  static Faults named(String name, Configuration configuration) {
    return KNOWN.computeIfAbsent(
        name,
        unknown -> {
          Faults faults = new Faults(name);
          Optional.ofNullable(configuration.get(FILE)).map(Path::of).ifPresent(faults::read);
          return faults;
        });
  }

  /** Writes the file that {@link #FILE} is to name. */
  public static void write(Path file, Fault... faults) {
    try {
      Files.write(file, Arrays.stream(faults).map(Fault::line).toList());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private void read(Path file) {
    try {
      Files.readAllLines(file).forEach(line -> inject(Fault.parse(line)));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** A local path as this file system names it. */
  public String location(Path local) {
    return "faulty://" + name + local.toAbsolutePath();
  }

  public synchronized Faults inject(Fault... faults) {
    Arrays.stream(faults).map(Injected::new).forEach(injected::add);
    return this;
  }

  /** Nothing goes wrong from now on, and nothing has been asked yet. */
  public synchronized Faults clear() {
    injected.clear();
    touched.clear();
    room = Long.MAX_VALUE;
    return this;
  }

  /** Only so many more bytes can be written; deleting makes room. */
  public synchronized Faults quota(long bytes) {
    room = bytes;
    return this;
  }

  /** All that was asked since {@link #clear}, in order. */
  public synchronized List<Touch> touched() {
    return List.copyOf(touched);
  }

  /** Notes an operation; the fault that befalls it, if one does. */
  synchronized Optional<Fault> meet(Operation operation, String path) {
    touched.add(new Touch(operation, path));
    for (Injected one : injected) {
      if (one.fault.fits(operation, path)) {
        one.met++;
        long after = one.met - one.fault.first();
        if (after >= 0 && after < one.fault.times() && isFirst(one.fault)) {
          return Optional.of(one.fault);
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isFirst(Fault fault) {
    if (fault.once().isEmpty()) {
      return true;
    }
    try {
      Files.createFile(fault.once().get());
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** How many of {@code bytes} there is room for. */
  synchronized int take(int bytes) {
    int granted = (int) Math.min(room, bytes);
    room -= room == Long.MAX_VALUE ? 0 : granted;
    return granted;
  }

  synchronized void giveBack(long bytes) {
    room += room == Long.MAX_VALUE ? 0 : bytes;
  }

  /** Carries out what happens instead of an operation, or before it. */
  static void strike(Fault fault, Operation operation, String path) throws IOException {
    String what = "injected: %s of %s".formatted(operation, path);
    switch (fault.effect()) {
      case FAIL -> throw new IOException(what);
      case RESET -> throw new SocketException("Connection reset");
      case DENY -> throw new AccessControlException("Permission denied, " + what);
      case SLOW -> {
        System.out.println(SLOW_LINE + what); // for whoever waits for this moment
        await(fault.delay().toMillis());
      }
      case HALT -> Runtime.getRuntime().halt(KILLED);
      case LOSE_ANSWER, TRUNCATE -> {}
    }
  }

  static void strikeAfter(Fault fault, Operation operation, String path) throws IOException {
    if (fault.effect() == Effect.LOSE_ANSWER) {
      throw new IOException("no answer, injected: %s of %s".formatted(operation, path));
    }
  }

  private static void await(long milliseconds) throws IOException {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the file system was slow");
    }
  }
}
