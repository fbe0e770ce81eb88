package io.shardpress.common.checkpoint;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import java.util.Locale;
import java.util.regex.Pattern;

/** What the files of a checkpoint folder are, by name. */
final class FileKinds {
  private static final Pattern FOREIGN_WEIGHTS =
      Pattern.compile(
          ".*\\.(bin|pt|pt2|pth|ckpt|h5|hdf5|keras|msgpack|gguf|ggml|pkl|pickle|joblib|dill|npy|npz"
              + "|onnx|pb|tflite|ot|nemo|pdparams|mlmodel|zip|tar|tgz)");

  private static final Pattern CODE = Pattern.compile(".*\\.py");

  private static final Pattern COMPANION =
      Pattern.compile(
          "generation_config\\.json|tokenizer.*|vocab.*|merges\\.txt|special_tokens_map\\.json"
              + "|added_tokens\\.json|chat_template.*|.*\\.model|preprocessor_config\\.json"
              + "|(?i:LICENSE.*|README.*)");

  private FileKinds() {}

  static boolean isSafetensors(String name) {
    return name.endsWith(".safetensors");
  }

  /** Weights in other formats: pickles, which are programs, and formats that are not read. */
  static boolean isForeignWeights(String name) {
    return FOREIGN_WEIGHTS.matcher(name.toLowerCase(Locale.ROOT)).matches();
  }

  /** Never read, never copied: foreign weights and code. */
  static boolean isRefused(String name) {
    return isForeignWeights(name) || CODE.matcher(name.toLowerCase(Locale.ROOT)).matches();
  }

  /** Goes with the model wherever it goes, unchanged. */
  static boolean isCompanion(String name) {
    return COMPANION.matcher(name).matches() && !isRefused(name) && !isSafetensors(name);
  }

  static CheckpointFormatException refusal(String what) {
    return new CheckpointFormatException(
        Code.REFUSED_FILE_TYPE,
        what
            + ". Such files are not read: pickled weights can run code. Use the safetensors weights"
            + " of the model, or convert them with save_pretrained(…, safe_serialization=True) of"
            + " transformers.");
  }
}
