package io.shardpress.operators.compression;

/**
 * Peak bytes of solving the linears that read one input, as {@link Settings#memory} predicts them:
 * what {@link Settings#prepare} makes once, and what every {@link Solver#compress} that runs at the
 * same time adds. Off-heap and heap are apart, because different limits guard them. What a process
 * takes in any case is not in here: the JVM, libraries, and freed matrices kept for the next use.
 *
 * @param sharedBytes off-heap bytes of the prepared solver, for as long as it is open; a Gram that
 *     is held in memory is among them
 * @param prepareBytes off-heap bytes beside those while the solver is prepared, and only then
 * @param sliceNativeBytes off-heap bytes of one {@code compress} call, its borrowed weight included
 * @param sliceHeapBytes heap bytes of the same call, its result included
 */
public record SolveMemory(
    long sharedBytes, long prepareBytes, long sliceNativeBytes, long sliceHeapBytes) {

  public SolveMemory {
    if (sharedBytes < 0 || prepareBytes < 0 || sliceNativeBytes < 0 || sliceHeapBytes < 0) {
      throw new IllegalArgumentException(
          "Negative bytes: %d shared, %d to prepare, %d and %d per slice"
              .formatted(sharedBytes, prepareBytes, sliceNativeBytes, sliceHeapBytes));
    }
  }

  /** Off-heap peak of one solver whose {@code slices} run at the same time. */
  public long nativeBytes(int slices) {
    return sharedBytes + Math.max(prepareBytes, slices * sliceNativeBytes);
  }

  /** Heap peak of {@code slices} that run at the same time. */
  public long heapBytes(int slices) {
    return slices * sliceHeapBytes;
  }
}
