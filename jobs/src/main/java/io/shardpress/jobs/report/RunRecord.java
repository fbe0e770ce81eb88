package io.shardpress.jobs.report;

import com.fasterxml.jackson.annotation.JsonRawValue;
import io.shardpress.jobs.calibrate.ExpertTokens;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.spark.MemoryUsed;
import io.shardpress.jobs.storage.PublishedFile;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code run.json} holds, complete or failed. The schema is versioned by {@link #FORMAT}; keys
 * are only added within a version.
 *
 * @param status {@code running} (also after a kill), {@code complete} or {@code failed}
 * @param error the message that the run ended with, when it failed
 * @param startedAt ISO-8601, UTC
 * @param applicationId Spark's name for the application
 * @param versions of Shardpress, Spark, Scala, Java, and the numeric kernels
 * @param memory by Spark's name for a process ({@code driver}, or a number): planned, allowed and
 *     resident bytes
 * @param recipe the resolved recipe, defaults included, without Spark settings
 * @param family the model family; absent when unknown
 * @param calibrationDigest SHA-256 over the calibration token ids
 * @param layers one entry per compressed linear, in the order of the forward pass
 * @param resumedLayers of these, layers that an earlier attempt of the run had finished
 * @param uncompressed linears left alone, with the reason
 * @param experts calibration tokens per routed expert
 * @param seconds wall time per stage, in order
 * @param files every published file but {@code run.json}, {@code tasks.json} and {@code
 *     _SUCCESS.json}
 */
public record RunRecord(
    String format,
    String runId,
    String status,
    Optional<String> error,
    String startedAt,
    String applicationId,
    Map<String, String> versions,
    KernelRecord kernels,
    Map<String, MemoryUsed.Process> memory,
    @JsonRawValue String recipe,
    String model,
    Optional<String> family,
    Optional<String> calibrationDigest,
    List<LayerOutcome> layers,
    Map<LayerOutcome.Kind, Long> totals,
    int resumedLayers,
    Map<String, String> uncompressed,
    List<ExpertTokens> experts,
    Optional<Sizes> sizes,
    Optional<Evaluation> evaluation,
    Map<String, Double> seconds,
    List<PublishedFile> files,
    List<String> warnings) {

  public static final String FORMAT = "shardpress-run/1";
  public static final String FILE_NAME = "run.json";
}
