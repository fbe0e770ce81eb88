package io.shardpress.integration.faults;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.SparkEnv;

/**
 * One thing that goes wrong: from the {@code first} operation that fits on, {@code times} times.
 *
 * @param operations those that fit
 * @param path found in the whole path of those that fit
 * @param first counted from 1, in each process anew
 * @param times {@link Long#MAX_VALUE} for ever after
 * @param delay how long an operation takes longer; of {@link Effect#SLOW} only
 * @param process where it happens
 * @param once a file by which processes know that one of them has had the fault; made by it
 */
public record Fault(
    Effect effect,
    Set<Operation> operations,
    Pattern path,
    long first,
    long times,
    Duration delay,
    Where process,
    Optional<Path> once) {

  /** Processes of a run. */
  public enum Where {
    ANY,
    /** Not the driver. */
    EXECUTOR
  }

  /** What becomes of an operation. */
  public enum Effect {
    /** An {@link java.io.IOException} instead of the operation; of a write, half is done. */
    FAIL,
    /** The same, as a connection that breaks. */
    RESET,
    /** The same, for want of a right. */
    DENY,
    /** The operation is done, and then fails. */
    LOSE_ANSWER,
    /** A read finds the end of the file; half of a write is done and the rest forgotten. */
    TRUNCATE,
    /** The operation begins late. */
    SLOW,
    /** The process ends with 137 instead, as under {@code kill -9}; of a write, half is done. */
    HALT
  }

  private static final Pattern ANY = Pattern.compile("");

  public Fault {
    operations = Set.copyOf(operations);
  }

  /** Befalls the first operation, whatever it is. */
  public static Fault of(Effect effect) {
    return new Fault(
        effect,
        EnumSet.allOf(Operation.class),
        ANY,
        1,
        1,
        Duration.ZERO,
        Where.ANY,
        Optional.empty());
  }

  public Fault on(Operation... kinds) {
    return new Fault(effect, Set.of(kinds), path, first, times, delay, process, once);
  }

  /** Only where {@code regex} is found in the path. */
  public Fault in(String regex) {
    return new Fault(
        effect, operations, Pattern.compile(regex), first, times, delay, process, once);
  }

  public Fault at(long number) {
    return new Fault(effect, operations, path, number, times, delay, process, once);
  }

  public Fault times(long count) {
    return new Fault(effect, operations, path, first, count, delay, process, once);
  }

  public Fault taking(Duration longer) {
    return new Fault(effect, operations, path, first, times, longer, process, once);
  }

  /** In one process only, of all those that look for {@code flag}. */
  public Fault once(Path flag) {
    return new Fault(effect, operations, path, first, times, delay, process, Optional.of(flag));
  }

  /** On executors only, in processes of their own. */
  public Fault onExecutors() {
    return new Fault(effect, operations, path, first, times, delay, Where.EXECUTOR, once);
  }

  boolean fits(Operation operation, String where) {
    return operations.contains(operation)
        && path.matcher(where).find()
        && (process == Where.ANY || isExecutor());
  }

  private static boolean isExecutor() {
    SparkEnv spark = SparkEnv.get();
    return spark != null && !spark.executorId().equals("driver");
  }

  /** One line that {@link #parse} reads; paths and patterns have no spaces. */
  String line() {
    return "effect=%s operations=%s path=%s first=%d times=%d delay=%d process=%s once=%s"
        .formatted(
            effect,
            operations.stream().map(Enum::name).collect(Collectors.joining(",")),
            path,
            first,
            times,
            delay.toMillis(),
            process,
            once.map(Path::toString).orElse(""));
  }

  static Fault parse(String line) {
    Map<String, String> fields =
        Arrays.stream(line.split(" "))
            .map(field -> field.split("=", 2))
            .collect(Collectors.toMap(sides -> sides[0], sides -> sides[1]));
    List<String> kinds = List.of(fields.get("operations").split(","));
    return new Fault(
        Effect.valueOf(fields.get("effect")),
        kinds.stream().map(Operation::valueOf).collect(Collectors.toSet()),
        Pattern.compile(fields.get("path")),
        Long.parseLong(fields.get("first")),
        Long.parseLong(fields.get("times")),
        Duration.ofMillis(Long.parseLong(fields.get("delay"))),
        Where.valueOf(fields.get("process")),
        Optional.of(fields.get("once")).filter(text -> !text.isEmpty()).map(Path::of));
  }
}
