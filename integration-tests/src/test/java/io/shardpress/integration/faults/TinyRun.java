package io.shardpress.integration.faults;

import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.integration.Folders;
import io.shardpress.integration.models.LlamaShape;
import io.shardpress.integration.models.RandomLlama;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;

/**
 * A Llama of two blocks and 27,000 weights, with a few sequences of random token ids: a run of it
 * goes through every stage and takes a moment. Everything lies in one folder, and the recipe says
 * by which file system it is reached.
 */
public record TinyRun(Path folder) {
  private static final LlamaShape SHAPE = new LlamaShape(16, 32, 2, 32, 1, 1, 16);
  private static final int LENGTH = 16;

  /** What is done to the model. */
  public enum Way {
    /** Data-free, of two matrices of a family that nobody knows: as few operations as can be. */
    PLAIN("plain", "{ rtn { group-size = 16 } }", "one-pass"),
    RTN("model", "{ rtn { group-size = 16 } }", "one-pass"),
    ONE_PASS("model", "{ gptq { group-size = 16 } }", "one-pass"),
    SEQUENTIAL("model", "{ gptq { group-size = 16 } }", "sequential");

    private final String model;
    private final String steps;
    private final String mode;

    Way(String model, String steps, String mode) {
      this.model = model;
      this.steps = steps;
      this.mode = mode;
    }
  }

  /** Makes the model and the data in an empty folder. */
  public static TinyRun in(Path folder, long seed) {
    return in(
        HadoopStore.of(new Configuration(false)), folder, Location.of(folder.toString()), seed);
  }

  /** The same in {@code root} of a store; only recipes lie in the local folder. */
  public static TinyRun in(Store store, Path folder, Location root, long seed) {
    RandomLlama llama = new RandomLlama(SHAPE, seed);
    llama.write(store, root.child("model"));
    llama.writeTokens(store, root.child("tokens.jsonl"), 6, LENGTH);
    writePlain(store, root.child("plain"), llama);
    return new TinyRun(folder);
  }

  private static void writePlain(Store store, Location folder, RandomLlama llama) {
    SafetensorsLayout layout =
        SafetensorsLayout.of(
            List.of(
                TensorSpec.of("encoder.first.weight", DType.BF16, 32, 16),
                TensorSpec.of("encoder.norm.weight", DType.BF16, 16),
                TensorSpec.of("encoder.second.weight", DType.BF16, 16, 32)));
    Location file = folder.child("model.safetensors");
    try (SafetensorsWriter writer = new SafetensorsWriter(store.create(file), layout);
        OutputStream config = store.create(folder.child("config.json"))) {
      layout.specs().forEach(spec -> writer.write(llama.tensor(spec)));
      writer.finish();
      config.write("{ \"model_type\": \"nameless\" }".getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Path output() {
    return folder.resolve("output");
  }

  /** A recipe on local files. */
  public String recipe(Way way) {
    return recipe(way, "", Path::toString);
  }

  /**
   * A recipe, as a local file.
   *
   * @param location how the run names a path in the folder
   * @param more further lines
   */
  public String recipe(Way way, String more, Function<Path, String> location) {
    Path file =
        folder.resolve("recipe-%s.conf".formatted(way.name().toLowerCase(java.util.Locale.ROOT)));
    String tokens = location.apply(folder.resolve("tokens.jsonl"));
    String text =
        """
        model = "%s"
        calibration { data = "%s", sequences = 6, length = %d, chunk-tokens = 32, mode = %s }
        steps = [ %s ]
        output { uri = "%s", max-shard-size = %s }
        evaluation { data = "%s", length = %d, windows = 2 }
        spark { ui.enabled = false, sql.shuffle.partitions = 2 }
        %s
        """
            .formatted(
                location.apply(folder.resolve(way.model)),
                tokens,
                LENGTH,
                way.mode,
                way.steps,
                location.apply(output()),
                way == Way.PLAIN ? "400B" : "3kB",
                tokens,
                LENGTH,
                more);
    Folders.write(file, text.getBytes(StandardCharsets.UTF_8));
    return file.toString();
  }
}
