package io.shardpress.jobs.spark;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.OperatingSystemMXBean;
import com.sun.management.VMOption;
import io.shardpress.operators.linalg.Natives;
import java.lang.management.ManagementFactory;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.network.util.JavaUtils;

/**
 * How large a process may become, heap and arrays together, before it refuses the next array: a
 * little less than at which the system kills it. Unless told, JavaCPP refuses arrays beyond the
 * size of the heap, which has nothing to do with what there is.
 */
final class MemoryLimits {
  static final long MEBI = 1 << 20;
  private static final String HEAP = "spark.executor.memory";
  private static final String OVERHEAD = "spark.executor.memoryOverhead";
  private static final String FACTOR = "spark.executor.memoryOverheadFactor";
  private static final String KUBERNETES_FACTOR = "spark.kubernetes.memoryOverheadFactor";
  private static final String MINIMUM = "spark.executor.minMemoryOverhead";
  private static final String OFF_HEAP = "spark.memory.offHeap.size";
  private static final int HEAPS_WITHOUT_CONTAINER = 4;
  private static final Pattern GIVEN =
      Pattern.compile(
          "-D" + Pattern.quote(Natives.MAX_PHYSICAL_BYTES) + "=(\\S+)", Pattern.CASE_INSENSITIVE);

  private MemoryLimits() {}

  /**
   * For this process, which has its container or machine to itself. Java sees the limit of a
   * container (Spark does not), and {@code -XX:MaxRAM} stands for a smaller machine.
   */
  static long here() {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return below(Math.min(system.getTotalMemorySize(), maxRam()));
  }

  /** Of this process, in bytes; what Java calls its maximum leaves out a survivor space. */
  static long heapHere() {
    return Long.parseLong(option("MaxHeapSize").getValue());
  }

  private static VMOption option(String name) {
    return ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).getVMOption(name);
  }

  private static long maxRam() {
    VMOption option = option("MaxRAM");
    boolean chosen =
        option.getOrigin() != VMOption.Origin.DEFAULT
            && option.getOrigin() != VMOption.Origin.ERGONOMIC;
    return chosen ? Long.parseLong(option.getValue()) : Long.MAX_VALUE;
  }

  /**
   * For an executor: what its options say, else its container, which Spark's settings size. Where
   * the cluster manager makes none (standalone) and the user has not said what is beside the heap,
   * four times the heap.
   */
  static long ofExecutor(SparkConf conf) {
    Matcher given =
        GIVEN.matcher(
            conf.get("spark.executor.defaultJavaOptions", "")
                + " "
                + conf.get("spark.executor.extraJavaOptions", ""));
    if (given.find()) {
      return JavaUtils.byteStringAsBytes(given.group(1));
    }
    long heap = heapOfExecutor(conf) / MEBI;
    String master = conf.get("spark.master", "");
    boolean container = master.startsWith("yarn") || master.startsWith("k8s");
    if (!container && !conf.contains(OVERHEAD) && !conf.contains(FACTOR)) {
      return HEAPS_WITHOUT_CONTAINER * heap * MEBI;
    }
    long offHeap =
        conf.getBoolean("spark.memory.offHeap.enabled", false)
            ? conf.getSizeAsBytes(OFF_HEAP, "0") / MEBI
            : 0;
    return below((heap + overhead(conf, heap) + offHeap) * MEBI);
  }

  /** In bytes. */
  static long heapOfExecutor(SparkConf conf) {
    return conf.getSizeAsMb(HEAP, "1g") * MEBI;
  }

  /** As Spark's cluster managers reckon it, in MiB. */
  private static long overhead(SparkConf conf, long heap) {
    if (conf.contains(OVERHEAD)) {
      return conf.getSizeAsMb(OVERHEAD);
    }
    double factor = conf.getDouble(FACTOR, conf.getDouble(KUBERNETES_FACTOR, 0.1));
    return Math.max((long) (factor * heap), conf.getSizeAsMb(MINIMUM, "384m"));
  }

  /** Room for shared pages, which are counted only by the system, and for what grows unasked. */
  private static long below(long container) {
    return container - Math.min(container / 4, Math.max(container / 20, 256 * MEBI));
  }

  /** The smallest container, in whole MiB, whose processes may become so large. */
  static long containerFor(long bytes) {
    long container = bytes / MEBI * MEBI;
    while (below(container) < bytes) {
      container += MEBI;
    }
    return container;
  }
}
