package io.shardpress.jobs.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.LoggerFactory;

/**
 * The kernels that an application's processes compute with, by what their tasks report. Hosts that
 * differ are worth a warning: they are slower or faster, and what they compute may differ in its
 * last bits. Any thread may report.
 */
public final class KernelsUsed {
  private final SortedMap<String, SortedSet<String>> hosts = new TreeMap<>();
  private final List<String> warnings = new ArrayList<>();
  private String first = "";

  /** {@code host} has computed with the kernels described. */
  public synchronized void report(String kernels, String host) {
    boolean unknown = !hosts.containsKey(kernels);
    hosts.computeIfAbsent(kernels, k -> new TreeSet<>()).add(host);
    if (first.isEmpty()) {
      first = kernels;
    } else if (unknown) {
      warn(
          "Hosts compute with different kernels: %s with %s; %s with %s. The slower ones hold up the rest, and which host solved a layer shows in the last bits of its weights; run.kernels names one provider for all."
              .formatted(String.join(", ", hosts.get(first)), first, host, kernels));
    }
  }

  private void warn(String warning) {
    warnings.add(warning);
    LoggerFactory.getLogger(KernelsUsed.class).warn("{}", warning);
  }

  /** The hosts by the description of the kernels that they compute with. */
  public synchronized SortedMap<String, List<String>> hosts() {
    SortedMap<String, List<String>> copy = new TreeMap<>();
    hosts.forEach((kernels, names) -> copy.put(kernels, List.copyOf(names)));
    return copy;
  }

  public synchronized List<String> warnings() {
    return List.copyOf(warnings);
  }
}
