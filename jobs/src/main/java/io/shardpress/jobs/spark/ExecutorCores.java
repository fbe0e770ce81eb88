package io.shardpress.jobs.spark;

import io.shardpress.operators.linalg.SharedCores;
import java.io.Serializable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;

/**
 * How many cores an executor has for its tasks.
 *
 * @param known 0 where Spark does not say: a standalone worker gives an executor what it has left
 */
record ExecutorCores(int known) implements Serializable {
  private static final Pattern LOCAL = Pattern.compile("local(?:\\[(\\*|\\d+).*)?");
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[\\s*\\d+\\s*,\\s*(\\d+)\\s*,.*");

  static ExecutorCores of(SparkConf conf) {
    String master = conf.get("spark.master", "");
    Matcher local = LOCAL.matcher(master);
    if (!local.matches()) {
      Matcher cluster = LOCAL_CLUSTER.matcher(master);
      int ofWorker = cluster.matches() ? Integer.parseInt(cluster.group(1)) : 0;
      return new ExecutorCores(conf.getInt("spark.executor.cores", ofWorker));
    }
    String count = local.group(1);
    if (count == null) {
      return new ExecutorCores(1);
    }
    return new ExecutorCores(
        count.equals("*") ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(count));
  }

  /** Whether tasks run in the driver's process. */
  static boolean isLocal(SparkConf conf) {
    return LOCAL.matcher(conf.get("spark.master", "")).matches();
  }

  /** What a task of {@code cpus} cores computes on: those alone where no more are known of. */
  SharedCores shared(int cpus) {
    return known == 0 ? SharedCores.of(cpus) : SharedCores.ofProcess(known);
  }
}
