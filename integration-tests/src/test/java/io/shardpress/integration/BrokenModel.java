package io.shardpress.integration;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** A copy of the quickstart checkpoint, to be spoilt. */
record BrokenModel(Path folder) {
  static final String WEIGHTS = "model.safetensors";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> FILES =
      List.of(
          WEIGHTS,
          "config.json",
          "generation_config.json",
          "tokenizer.json",
          "tokenizer_config.json");

  static BrokenModel in(Path folder) {
    for (String name : FILES) {
      Folders.write(folder.resolve(name), Folders.bytes(Home.quickstart().resolve(name)));
    }
    return new BrokenModel(folder);
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  BrokenModel text(String name, String text) {
    Folders.write(file(name), text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  BrokenModel without(String name) {
    Folders.delete(file(name));
    return this;
  }

  BrokenModel json(String name, Consumer<ObjectNode> change) {
    try {
      ObjectNode document = (ObjectNode) JSON.readTree(Folders.bytes(file(name)));
      change.accept(document);
      return text(name, document.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  BrokenModel weights(UnaryOperator<WeightFile> change) {
    change.apply(WeightFile.read(file(WEIGHTS))).write(file(WEIGHTS));
    return this;
  }

  /** Replaces the one weight file by an index that says where each tensor lies. */
  BrokenModel index(Map<String, String> weightMap) {
    ObjectNode index = JSON.createObjectNode();
    ObjectNode map = index.putObject("weight_map");
    weightMap.forEach(map::put);
    return text("model.safetensors.index.json", index.toString()).without(WEIGHTS);
  }
}
