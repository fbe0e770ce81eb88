package io.shardpress.jobs.costs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Reads {@code tasks.json}; what it does not hold as {@link RunCosts} has it is an error. */
public final class RunCostsReader {
  private final String source;

  private RunCostsReader(String source) {
    this.source = source;
  }

  /**
   * The costs of a run.
   *
   * @param run the folder that the run published to, or its {@code tasks.json}
   * @throws InputException when there is no such file, or it is damaged
   */
  public static RunCosts read(Store store, Location run) {
    Location file = run.name().endsWith(".json") ? run : run.child(RunCosts.FILE_NAME);
    if (!store.exists(file)) {
      throw new InputException(
          "There is no %s. Name the folder that a complete run of `shardpress compress` published to, or its %s."
              .formatted(file, RunCosts.FILE_NAME));
    }
    return parse(file.toString(), store.readAll(file, StrictJson.MAX_BYTES));
  }

  /** Parses the document; {@code source} names it in messages. */
  static RunCosts parse(String source, byte[] json) {
    return new RunCostsReader(source).run(StrictJson.parseObject(source, json));
  }

  private RunCosts run(ObjectNode root) {
    String format = text(root, "format");
    if (!format.equals(RunCosts.FORMAT)) {
      throw damaged("its format is '%s', and only '%s' is read".formatted(format, RunCosts.FORMAT));
    }
    try {
      return new RunCosts(
          format,
          text(root, "run_id"),
          count(root, "blocks"),
          count(root, "sequences"),
          count(root, "cores_per_executor"),
          count(root, "cores_per_task"),
          list(root, "executors", this::string),
          seconds(root, "seconds"),
          list(root, "stages", this::stage));
    } catch (IllegalArgumentException e) {
      throw damaged(e.getMessage());
    }
  }

  private StageCosts stage(JsonNode node) {
    return new StageCosts(
        text(node, "stage"),
        seconds(node, "start"),
        seconds(node, "end"),
        list(node, "jobs", this::job));
  }

  private JobCosts job(JsonNode node) {
    return new JobCosts(
        text(node, "description"),
        text(node, "kind"),
        seconds(node, "start"),
        seconds(node, "end"),
        list(node, "seconds", this::number),
        list(node, "executors", this::integer));
  }

  private String text(JsonNode node, String key) {
    return string(require(node, key));
  }

  private int count(JsonNode node, String key) {
    return integer(require(node, key));
  }

  private double seconds(JsonNode node, String key) {
    return number(require(node, key));
  }

  private <T> List<T> list(JsonNode node, String key, Function<JsonNode, T> element) {
    if (!(require(node, key) instanceof ArrayNode array)) {
      throw damaged("'%s' is not a list".formatted(key));
    }
    List<T> elements = new ArrayList<>();
    array.forEach(child -> elements.add(element.apply(child)));
    return elements;
  }

  private JsonNode require(JsonNode node, String key) {
    JsonNode value = node.get(key);
    if (value == null) {
      throw damaged("'%s' is missing".formatted(key));
    }
    return value;
  }

  private String string(JsonNode value) {
    if (!value.isTextual()) {
      throw damaged("%s stands where text is needed".formatted(value));
    }
    return value.textValue();
  }

  private double number(JsonNode value) {
    if (!value.isNumber()) {
      throw damaged("%s stands where a number is needed".formatted(value));
    }
    return value.doubleValue();
  }

  private int integer(JsonNode value) {
    if (!value.isInt()) {
      throw damaged("%s stands where a whole number is needed".formatted(value));
    }
    return value.intValue();
  }

  private InputException damaged(String why) {
    return new InputException(
        "%s is not the record of a run's tasks: %s. Give that of another run, or run again."
            .formatted(source, why));
  }
}
