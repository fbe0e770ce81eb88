package io.shardpress.jobs.calibrate;

import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.run.PublishedFile;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.statistics.KeptInput;
import io.shardpress.jobs.storage.SafeNames;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Adds the partial sums of one input in chunk order and stores the result. Grams are added some
 * elements at a time, so that memory holds neither all chunks' Grams nor one of them.
 *
 * @param files of partial sums in {@code partials}, in chunk order
 * @param target folder of the result, a file of this attempt's own
 */
record FoldInput(
    HadoopStore store, Location partials, List<String> files, String input, Location target)
    implements Work<KeptInput> {
  /** Elements of a Gram that are added at a time: 4 MiB of F32. */
  private static final int PIECE = 1 << 20;

  private static final String UNTOUCHED = "none";

  FoldInput {
    files = List.copyOf(files);
  }

  /** Returns what is kept: no file where no token reached the input. */
  @Override
  public KeptInput run() {
    List<Map<String, TensorSource>> parts = new ArrayList<>();
    List<InputStatistics> moments = new ArrayList<>();
    for (String file : files) {
      Map<String, TensorSource> part = part(file);
      if (!part.isEmpty()) {
        parts.add(part);
        moments.add(StoredStatistics.readMoments(input, part));
      }
    }
    if (parts.isEmpty()) {
      return new KeptInput(input, 0, 0, 0, UNTOUCHED, List.of());
    }
    // Without Grams, statistics hold nothing that has to be closed.
    InputStatistics sum = InputStatistics.fold(moments);
    PublishedFile file = write(parts, sum);
    return new KeptInput(input, sum.width(), sum.tokens(), sum.tokens(), UNTOUCHED, List.of(file));
  }

  /** The statistics of the input in one chunk's file, if any. */
  private Map<String, TensorSource> part(String file) {
    Map<String, TensorSource> tensors = TensorFiles.sources(store, partials.child(file));
    tensors.keySet().removeIf(name -> !StoredStatistics.belongsTo(input, name));
    return tensors;
  }

  private PublishedFile write(List<Map<String, TensorSource>> parts, InputStatistics moments) {
    SafetensorsLayout layout =
        SafetensorsLayout.of(parts.get(0).values().stream().map(TensorSource::spec).toList());
    Location file =
        target.child("%s.%s.safetensors".formatted(SafeNames.of(input), UUID.randomUUID()));
    Sha256 hash = new Sha256();
    try (SafetensorsWriter writer = new SafetensorsWriter(hash.tee(store.replace(file)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        if (StoredStatistics.isGram(spec)) {
          List<TensorSource> grams = parts.stream().map(part -> part.get(spec.name())).toList();
          addGrams(grams, piece -> writer.write(spec, piece));
        } else {
          StoredStatistics.write(moments, spec, piece -> writer.write(spec, piece));
        }
      }
      writer.finish();
    }
    return new PublishedFile(file.name(), layout.totalLength(), hash.hex());
  }

  /** Sums in F64, stored in F32. */
  private static void addGrams(List<TensorSource> grams, Consumer<ByteBuffer> pieces) {
    long elements = grams.get(0).spec().elements();
    double[] sums = new double[(int) Math.min(PIECE, elements)];
    float[] values = new float[sums.length];
    ByteBuffer bytes =
        ByteBuffer.allocate(sums.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long first = 0; first < elements; first += sums.length) {
      int count = (int) Math.min(sums.length, elements - first);
      Arrays.fill(sums, 0);
      for (TensorSource gram : grams) {
        gram.read(first * Float.BYTES, bytes.clear().limit(count * Float.BYTES));
        FloatCodec.decode(DType.F32, bytes.flip(), values, 0, count);
        for (int i = 0; i < count; i++) {
          sums[i] += values[i];
        }
      }
      for (int i = 0; i < count; i++) {
        values[i] = (float) sums[i];
      }
      FloatCodec.encode(DType.F32, values, 0, count, bytes.clear());
      pieces.accept(bytes.flip());
    }
  }
}
