package io.shardpress.jobs.data;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.util.Map;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Hidden states between blocks: an F32 matrix {@code [tokens, hidden]} per chunk, as an Arrow IPC
 * file with column {@code hidden_states}, in record batches of bounded size, streamed both ways.
 * Equal values give equal bytes.
 */
public final class ActivationShards {
  /** Upper bound of one record batch in bytes, unless a single row has more. */
  static final int BATCH_BYTES = 8 << 20;

  static final String ROWS = "rows";

  private ActivationShards() {}

  /**
   * Starts a new shard of {@code rows} rows of {@code hidden} values. It replaces what a killed
   * attempt of the same task may have left.
   */
  public static ActivationWriter create(Store store, Location file, long rows, int hidden) {
    return new ActivationWriter(store, file, rows, hidden);
  }

  /** Opens a shard; one that was not finished is an InputException. */
  public static ActivationReader open(Store store, Location file) {
    return new ActivationReader(store, file);
  }

  static Schema schema(long rows, int hidden) {
    return FixedLists.schema(
        "hidden_states",
        new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE),
        hidden,
        Map.of(ROWS, Long.toString(rows)));
  }

  static int rowsPerBatch(long rows, int hidden) {
    return (int) Math.max(1, Math.min(rows, BATCH_BYTES / ((long) hidden * Float.BYTES)));
  }
}
