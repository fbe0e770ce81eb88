package io.shardpress.jobs.plan;

import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.LinearModule.Role;
import io.shardpress.operators.model.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Predicted memory of taking tokens through blocks: the weights of attention or of one network,
 * what lies between its linears for a slice of tokens, the hidden states of all tokens, and the
 * Grams of the block's inputs.
 *
 * @param tokens of a chunk
 * @param length tokens of a sequence
 * @param precision of the linears
 * @param widened whether BF16 operands are widened before a product, as all kernels but oneDNN's do
 * @param stored types of the linears' weights
 */
record CalibrationMemory(
    Architecture architecture,
    long tokens,
    long length,
    Precision precision,
    boolean widened,
    Map<String, DType> stored) {

  /** Tokens that pass through the linears of a block together. */
  private static final long SLICE = 4096;

  /** Columns of a gated network that a thread computes at a time, for the threads of a task. */
  private static final long GATED_COLUMNS = 1024L * SolveMemories.THREADS;

  /** Of the heap: rows of attention's heads, and what storage and formats hold of a file. */
  private static final long HEAP = 64 << 20;

  /** What a block's weights come from. */
  enum Weights {
    /** The model as it is stored. */
    DENSE,
    /** Codes, decoded to F32 first. */
    COMPRESSED
  }

  /** Taking tokens through a stage with dense weights, with Grams of these inputs. */
  TaskMemory observe(int stage, Set<String> inputs) {
    return memory(pass(stage, inputs, Weights.DENSE));
  }

  /**
   * Taking tokens through the compressed stage before, then {@link #observe}.
   *
   * @param source of the observed stage: compressed where earlier steps have changed it already
   */
  TaskMemory observeBehindCompressed(int stage, Set<String> inputs, Weights source) {
    long before = stage == 0 ? 0 : pass(stage - 1, Set.of(), Weights.COMPRESSED);
    long own =
        Math.max(before, Math.max(pass(stage, inputs, Weights.DENSE), pass(stage, inputs, source)));
    return TaskMemory.of(own, memory(own).heapBytes());
  }

  /** Taking tokens through all blocks to what the head reads, and holding that. */
  long forward() {
    long most = 0;
    for (int stage = 0; stage <= architecture.blocks(); stage++) {
      most = Math.max(most, pass(stage, Set.of(), Weights.DENSE));
    }
    return most;
  }

  private TaskMemory memory(long own) {
    long heads = 0;
    for (int block = 0; block < architecture.blocks(); block++) {
      heads = Math.max(heads, bytes(Float.BYTES, length, attention(block)));
    }
    return TaskMemory.of(own, HEAP + heads);
  }

  /** Hidden states of a chunk, in F32. */
  long hidden() {
    return Float.BYTES * tokens * architecture.hidden();
  }

  private long pass(int stage, Set<String> inputs, Weights source) {
    if (stage == architecture.blocks()) {
      return 2 * hidden() + grams(inputs, head()) + transposed(inputs, head(), tokens);
    }
    List<LinearModule> block = architecture.linears(stage);
    List<LinearModule> attention = attention(stage);
    long attending =
        grams(inputs, attention)
            + loaded(attention, source)
            + Math.max(scratch(attention), product(attention))
            + transposed(inputs, attention, slice());
    long feeding = 0;
    for (List<LinearModule> network : networks(block)) {
      feeding =
          Math.max(
              feeding,
              loaded(network, source)
                  + Math.max(scratch(network), product(network))
                  + transposed(inputs, network, slice()));
    }
    long states = (1 + architecture.statesBeside(stage)) * hidden();
    return states + Math.max(attending, grams(inputs, block) + feeding);
  }

  private List<LinearModule> attention(int block) {
    return only(architecture.linears(block), linear -> linear.role() == Role.ATTENTION);
  }

  private List<LinearModule> head() {
    return only(architecture.linears(), linear -> linear.role() == Role.HEAD);
  }

  /** The dense network, or each expert's, and the one that experts share. */
  private static List<List<LinearModule>> networks(List<LinearModule> block) {
    List<List<LinearModule>> networks = new ArrayList<>();
    networks.add(only(block, linear -> linear.role() == Role.MLP));
    Map<Integer, List<LinearModule>> experts = new TreeMap<>();
    for (LinearModule linear : only(block, linear -> linear.role() == Role.EXPERT)) {
      experts.computeIfAbsent(linear.expert().orElseThrow(), e -> new ArrayList<>()).add(linear);
    }
    networks.addAll(experts.values());
    networks.removeIf(List::isEmpty);
    return networks;
  }

  private static List<LinearModule> only(
      List<LinearModule> linears, Predicate<LinearModule> which) {
    return linears.stream().filter(which).toList();
  }

  private long slice() {
    return Math.min(tokens, Math.max(1, SLICE / length) * length);
  }

  private long width() {
    return precision == Precision.BF16 ? Short.BYTES : Float.BYTES;
  }

  /** Weights of the linears, and beside them what the largest is made from. */
  private long loaded(List<LinearModule> linears, Weights source) {
    long sum = 0;
    long largest = 0;
    for (LinearModule linear : linears) {
      long weights = linear.out() * linear.in();
      sum += width() * weights;
      largest = Math.max(largest, beside(linear, source) * weights);
    }
    return sum + largest;
  }

  /** Bytes per weight that loading takes and gives back. */
  private long beside(LinearModule linear, Weights source) {
    if (source == Weights.COMPRESSED) {
      return precision == Precision.BF16 || linear.layout() == Layout.IN_OUT ? Float.BYTES : 0;
    }
    DType type = stored.getOrDefault(linear.name(), DType.F32);
    if (precision == Precision.F32) {
      return type == DType.BF16 ? Short.BYTES : 0;
    }
    return type == DType.BF16 ? 0 : Float.BYTES;
  }

  /**
   * What lies between linears, the last of which reads what the others made: their input, their
   * outputs in F32, and the last one's input. BF16 networks of two entries compute their outputs
   * some columns at a time.
   */
  private long scratch(List<LinearModule> linears) {
    if (linears.isEmpty()) {
      return 0;
    }
    LinearModule last = linears.get(linears.size() - 1);
    List<LinearModule> entries = linears.subList(0, linears.size() - 1);
    boolean gated =
        precision == Precision.BF16
            && !widened
            && last.role() != Role.ATTENTION
            && entries.size() == 2;
    long outputs =
        gated
            ? Float.BYTES * slice() * Math.min(GATED_COLUMNS, last.in())
            : bytes(Float.BYTES, slice(), entries);
    long input = entries.isEmpty() ? 0 : entries.get(0).in();
    return width() * slice() * (input + last.in()) + outputs;
  }

  /** The scratch and, where operands are widened, those of the largest product. */
  private long product(List<LinearModule> linears) {
    if (precision == Precision.F32 || !widened) {
      return 0;
    }
    return scratch(linears)
        + linears.stream()
            .mapToLong(linear -> Float.BYTES * (linear.out() * linear.in() + slice() * linear.in()))
            .max()
            .orElse(0);
  }

  private static long bytes(long width, long rows, List<LinearModule> linears) {
    return linears.stream().mapToLong(linear -> width * rows * linear.out()).sum();
  }

  /** Wide inputs are kept on storage in their Gram's place. */
  private long grams(Set<String> inputs, List<LinearModule> linears) {
    return widths(inputs, linears).values().stream()
        .filter(n -> !WideInputs.areKept(n, tokens))
        .mapToLong(n -> Float.BYTES * n * n)
        .sum();
  }

  /** The input of a Gram, once more for its product. */
  private long transposed(Set<String> inputs, List<LinearModule> linears, long rows) {
    long widest =
        widths(inputs, linears).values().stream().mapToLong(Long::longValue).max().orElse(0);
    if (precision == Precision.F32) {
      return 0;
    }
    return (widened ? Float.BYTES : Short.BYTES) * rows * widest;
  }

  private static Map<String, Long> widths(Set<String> inputs, List<LinearModule> linears) {
    Map<String, Long> widths = new TreeMap<>();
    linears.stream()
        .filter(linear -> inputs.contains(linear.input()))
        .forEach(linear -> widths.put(linear.input(), linear.in()));
    return widths;
  }
}
