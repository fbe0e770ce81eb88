package io.shardpress.jobs.calibrate;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sums the wanted inputs of one chunk of sequences and writes them as one safetensors file; of
 * {@link KeptInputs wide ones} it sums the moments and keeps the inputs beside it, and of those
 * that no Gram is wanted of the moments alone. An input that nothing reached, such as an idle
 * expert's, is left out.
 */
final class ChunkStatistics implements InputObserver, AutoCloseable {
  private final Store store;
  private final Location file;
  private final Set<String> wanted;
  private final Set<String> momentsAlone;
  private final Set<String> fromAllTokens;
  private final KeptInputs kept;
  private final Map<String, StatisticsAccumulator> sums = new TreeMap<>();

  /**
   * @param file where the sums are written
   * @param chunkTokens tokens of a chunk that is not the last
   * @param momentsAlone of the wanted inputs those that no Gram is wanted of
   * @param fromAllTokens inputs of experts that are to see every token of their layer
   */
  ChunkStatistics(
      Store store,
      Location file,
      long chunkTokens,
      Set<String> wanted,
      Set<String> momentsAlone,
      Set<String> fromAllTokens) {
    this.store = store;
    this.file = file;
    this.wanted = wanted;
    this.momentsAlone = momentsAlone;
    this.fromAllTokens = fromAllTokens;
    this.kept = new KeptInputs(store, file, chunkTokens);
  }

  @Override
  public void observe(String input, INDArray x) {
    if (!wanted.contains(input)) {
      return;
    }
    boolean gram = !momentsAlone.contains(input);
    boolean keep = gram && kept.keeps(Floats.columns(x));
    StatisticsNeed need = keep || !gram ? StatisticsNeed.MOMENTS : StatisticsNeed.GRAM;
    sums.computeIfAbsent(input, name -> new StatisticsAccumulator(name, Floats.columns(x), need))
        .observe(x);
    if (keep) {
      kept.add(input, x);
    }
  }

  @Override
  public boolean wantsAllTokens(String input) {
    return fromAllTokens.contains(input);
  }

  /** Writes the sums, which end here. */
  void write() {
    List<InputStatistics> open = new ArrayList<>();
    try {
      sums.values().forEach(sum -> open.add(sum.finishForStorage()));
      StatisticsFiles.write(store, file, open, kept.counts());
    } finally {
      open.forEach(InputStatistics::close);
    }
  }

  @Override
  public void close() {
    sums.values().forEach(StatisticsAccumulator::close);
  }
}
