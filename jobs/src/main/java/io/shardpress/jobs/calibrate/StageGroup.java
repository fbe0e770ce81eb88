package io.shardpress.jobs.calibrate;

import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.WideInputs;
import io.shardpress.operators.model.Precision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Neighbouring stages that one pass observes: as many as the scratch space holds partial sums of.
 *
 * @param first the first of them
 * @param wanted inputs to sum, per stage from the first on
 */
record StageGroup(int first, List<Set<String>> wanted) {
  /** Bytes of a channel's moments. */
  private static final long MOMENT_BYTES = 2 * Double.BYTES + Float.BYTES;

  StageGroup {
    wanted = List.copyOf(wanted);
  }

  int last() {
    return first + wanted.size() - 1;
  }

  /**
   * Cuts all stages from the first that anything is wanted of to the last.
   *
   * @param wanted inputs to sum, per stage of the model
   * @param scratchBytes partial sums of a group; a stage with more is a group of its own
   */
  static List<StageGroup> of(
      List<Set<String>> wanted,
      Plan plan,
      TokenChunks tokens,
      Precision precision,
      long scratchBytes) {
    Map<String, Long> bytes = new HashMap<>();
    Set<String> momentsAlone = plan.momentsAlone();
    plan.widths()
        .forEach(
            (input, width) ->
                bytes.put(
                    input,
                    tokens.chunks()
                        * (momentsAlone.contains(input)
                            ? MOMENT_BYTES * width
                            : WideInputs.partialBytes(width, tokens.chunkTokens(), precision))));
    List<StageGroup> groups = new ArrayList<>();
    List<Set<String>> open = new ArrayList<>();
    int first = 0;
    long held = 0;
    for (int stage = 0; stage < wanted.size(); stage++) {
      long more = wanted.get(stage).stream().mapToLong(bytes::get).sum();
      if (held > 0 && held + more > scratchBytes) {
        close(groups, first, open);
        held = 0;
      }
      if (held == 0) {
        first = stage;
        open.clear();
      }
      open.add(wanted.get(stage));
      held += more;
    }
    close(groups, first, open);
    return groups;
  }

  private static void close(List<StageGroup> groups, int first, List<Set<String>> wanted) {
    int size = wanted.size();
    while (size > 0 && wanted.get(size - 1).isEmpty()) {
      size--;
    }
    if (size > 0) {
      groups.add(new StageGroup(first, wanted.subList(0, size)));
    }
  }
}
