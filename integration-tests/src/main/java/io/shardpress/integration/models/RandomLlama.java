package io.shardpress.integration.models;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.UsageException;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.hadoop.conf.Configuration;

/**
 * Makes Llama checkpoints of random weights, in BF16 and the layout of Hugging Face: N(0, 0.02),
 * norms 1. A tensor's values depend on the seed and its name alone. Weights are made while they are
 * written, one file per block, so a model may be far larger than memory.
 *
 * <pre>
 * mvn -Pquick,random-llama verify -DskipTests -Dto=/models/random -Dshape=hidden=4096,ffn=11008,heads=32,kv-heads=8
 * </pre>
 *
 * writes the checkpoint to {@code /models/random/model} and 32 sequences of 512 token ids to {@code
 * /models/random/tokens.jsonl}; {@link LlamaShape} has the keys of the shape and their defaults.
 */
public final class RandomLlama {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double DEVIATION = 0.02;
  private static final long SEED = 1;

  /** Weights are drawn from so many normal values: four of them to one random number. */
  private static final int DRAWN = 1 << 16;

  /** Bytes made at a time. */
  private static final int PIECE = 1 << 20;

  private final LlamaShape shape;
  private final long seed;
  private final short[] normal;

  public RandomLlama(LlamaShape shape, long seed) {
    this.shape = shape;
    this.seed = seed;
    this.normal = normal(seed);
  }

  /** Takes the folder to write and a {@linkplain LlamaShape#parse shape}. */
  public static void main(String[] arguments) {
    if (arguments.length < 1 || arguments[0].isBlank() || arguments[0].startsWith("${")) {
      throw new UsageException("Say where the model goes: -Dto=/path/to/folder");
    }
    Location folder = Location.of(arguments[0]);
    LlamaShape shape = LlamaShape.parse(arguments.length < 2 ? "" : arguments[1]);
    Store store = HadoopStore.of(new Configuration());
    RandomLlama llama = new RandomLlama(shape, SEED);
    llama.write(store, folder.child("model"));
    llama.writeTokens(store, folder.child("tokens.jsonl"), 32, 512);
  }

  /** Writes the checkpoint to a folder that has none. */
  public void write(Store store, Location folder) {
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    long bytes = shape.tensors().stream().mapToLong(TensorSpec::bytes).sum();
    index.putObject("metadata").put("total_size", bytes);
    ObjectNode files = index.putObject("weight_map");
    for (int file = 0; file <= shape.blocks(); file++) {
      List<TensorSpec> tensors =
          file < shape.blocks() ? shape.blockTensors(file) : shape.outerTensors();
      String name = "model-%05d-of-%05d.safetensors".formatted(file + 1, shape.blocks() + 1);
      tensors.forEach(tensor -> files.put(tensor.name(), name));
      writeFile(store, folder.child(name), tensors);
    }
    writeJson(store, folder.child("model.safetensors.index.json"), index);
    writeJson(store, folder.child("config.json"), shape.config());
  }

  /** Writes sequences of uniformly random token ids, one {@code input_ids} per line. */
  public void writeTokens(Store store, Location file, int sequences, int length) {
    SplittableRandom random = new SplittableRandom(seed);
    try (OutputStream out = store.create(file)) {
      for (int i = 0; i < sequences; i++) {
        ObjectNode row = JsonNodeFactory.instance.objectNode();
        ArrayNode ids = row.putArray("input_ids");
        random.ints(length, 0, shape.vocabulary()).forEach(ids::add);
        out.write(JSON.writeValueAsBytes(row));
        out.write('\n');
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One whole tensor of the model, as {@link #write} writes it. */
  public RawTensor tensor(TensorSpec spec) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(spec.bytes()));
    make(spec, bytes::put);
    return new RawTensor(spec, bytes.flip());
  }

  private void writeFile(Store store, Location file, List<TensorSpec> tensors) {
    SafetensorsLayout layout = SafetensorsLayout.of(tensors);
    try (SafetensorsWriter writer = new SafetensorsWriter(store.create(file), layout)) {
      for (TensorSpec tensor : layout.specs()) {
        make(tensor, part -> writer.write(tensor, part));
      }
      writer.finish();
    }
  }

  private static void writeJson(Store store, Location file, ObjectNode json) {
    try (OutputStream out = store.create(file)) {
      out.write(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Takes a tensor's bytes, part by part. */
  private interface Parts {
    void take(ByteBuffer part);
  }

  private void make(TensorSpec spec, Parts parts) {
    boolean norm = spec.shape().size() == 1;
    short one = bf16(1)[0];
    SplittableRandom random = new SplittableRandom(seed ^ (long) spec.name().hashCode() << 16);
    ByteBuffer piece = ByteBuffer.allocate(PIECE).order(ByteOrder.LITTLE_ENDIAN);
    long left = spec.elements();
    while (left > 0) {
      int count = (int) Math.min(left, PIECE / Short.BYTES);
      piece.clear();
      long bits = 0;
      for (int i = 0; i < count; i++) {
        bits = i % 4 == 0 ? random.nextLong() : bits >>> 16;
        piece.putShort(norm ? one : normal[(int) (bits & 0xffff)]);
      }
      parts.take(piece.flip());
      left -= count;
    }
  }

  private static short[] normal(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[DRAWN];
    for (int i = 0; i < DRAWN; i++) {
      values[i] = (float) (DEVIATION * random.nextGaussian());
    }
    return bf16(values);
  }

  private static short[] bf16(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    FloatCodec.encode(DType.BF16, values, 0, values.length, bytes);
    short[] bits = new short[values.length];
    bytes.flip().asShortBuffer().get(bits);
    return bits;
  }
}
