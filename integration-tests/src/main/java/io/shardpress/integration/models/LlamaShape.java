package io.shardpress.integration.models;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.UsageException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The sizes of a Llama with an own head, as the field counts them.
 *
 * @param hidden width of the hidden states
 * @param ffn width of the gated network
 * @param blocks number of blocks
 * @param vocabulary number of token ids
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize features per head
 */
public record LlamaShape(
    int hidden, int ffn, int blocks, int vocabulary, int heads, int kvHeads, int headSize) {

  /** Longest sequence that {@link #config} allows, in tokens. */
  private static final int CONTEXT = 2048;

  public LlamaShape {
    List<Integer> sizes = List.of(hidden, ffn, blocks, vocabulary, heads, kvHeads, headSize);
    if (sizes.stream().anyMatch(size -> size < 1) || heads % kvHeads != 0 || headSize % 2 != 0) {
      throw new UsageException(
          "No Llama has hidden=%d ffn=%d blocks=%d vocabulary=%d heads=%d kv-heads=%d head-size=%d: sizes are positive, kv-heads divides heads, and head-size is even."
              .formatted(hidden, ffn, blocks, vocabulary, heads, kvHeads, headSize));
    }
  }

  /** The model of the end-to-end benchmark: 211 million parameters, a tenth of them embeddings. */
  public static LlamaShape benchmark() {
    return new LlamaShape(2048, 5632, 4, 8192, 16, 4, 128);
  }

  /**
   * {@link #benchmark} with the sizes that {@code text} names, such as {@code hidden=4096,
   * kv-heads=8}.
   */
  public static LlamaShape parse(String text) {
    LlamaShape base = benchmark();
    int[] sizes = {
      base.hidden, base.ffn, base.blocks, base.vocabulary, base.heads, base.kvHeads, base.headSize
    };
    List<String> names =
        Arrays.stream(LlamaShape.class.getRecordComponents())
            .map(RecordComponent::getName)
            .map(name -> name.replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT))
            .collect(Collectors.toList());
    for (String assignment : text.isBlank() ? new String[0] : text.strip().split("[,\\s]+", -1)) {
      String[] sides = assignment.split("=", -1);
      int index = names.indexOf(sides[0]);
      if (sides.length != 2 || index < 0 || !sides[1].matches("[0-9]{1,9}")) {
        throw new UsageException(
            "'%s' is no size of a Llama. Write %s=<number>, separated by commas."
                .formatted(assignment, String.join("=, ", names)));
      }
      sizes[index] = Integer.parseInt(sides[1]);
    }
    return new LlamaShape(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]);
  }

  /** {@code config.json} in the layout of transformers. */
  public ObjectNode config() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    config.put("model_type", "llama").put("dtype", "bfloat16").put("hidden_act", "silu");
    config.put("hidden_size", hidden).put("intermediate_size", ffn);
    config.put("num_hidden_layers", blocks).put("vocab_size", vocabulary);
    config.put("num_attention_heads", heads).put("num_key_value_heads", kvHeads);
    config.put("head_dim", headSize).put("max_position_embeddings", CONTEXT);
    config.put("rms_norm_eps", 1e-5).put("rope_theta", 10_000.0);
    config.put("attention_bias", false).put("mlp_bias", false).put("tie_word_embeddings", false);
    return config;
  }

  /** The tensors outside the blocks: embedding, final norm, head. */
  public List<TensorSpec> outerTensors() {
    return List.of(
        weight("model.embed_tokens", vocabulary, hidden),
        weight("model.norm", hidden),
        weight("lm_head", vocabulary, hidden));
  }

  /** The tensors of one block. */
  public List<TensorSpec> blockTensors(int block) {
    String prefix = "model.layers." + block + ".";
    int queries = heads * headSize;
    int keys = kvHeads * headSize;
    return List.of(
        weight(prefix + "input_layernorm", hidden),
        weight(prefix + "self_attn.q_proj", queries, hidden),
        weight(prefix + "self_attn.k_proj", keys, hidden),
        weight(prefix + "self_attn.v_proj", keys, hidden),
        weight(prefix + "self_attn.o_proj", hidden, queries),
        weight(prefix + "post_attention_layernorm", hidden),
        weight(prefix + "mlp.gate_proj", ffn, hidden),
        weight(prefix + "mlp.up_proj", ffn, hidden),
        weight(prefix + "mlp.down_proj", hidden, ffn));
  }

  /** All tensors of the model. */
  public List<TensorSpec> tensors() {
    List<TensorSpec> all = new ArrayList<>(outerTensors());
    for (int block = 0; block < blocks; block++) {
      all.addAll(blockTensors(block));
    }
    return all;
  }

  private static TensorSpec weight(String module, long... shape) {
    return TensorSpec.of(module + ".weight", DType.BF16, shape);
  }
}
