package io.shardpress.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JsonTest {
  private record Figures(
      double meanLoss, Double boxed, Optional<Double> maybe, Optional<Inner> inner) {}

  private record Inner(List<String> someNames, Kind kind) {}

  private record Raw(@JsonRawValue String recipe) {}

  private enum Kind {
    FELL_BACK
  }

  @Test
  void writesSnakeCaseAndNestedRecords() {
    Figures figures =
        new Figures(
            0.1, 2.0, Optional.of(3.0), Optional.of(new Inner(List.of("a"), Kind.FELL_BACK)));

    assertThat(Json.text(figures))
        .isEqualTo(
            """
            {
              "mean_loss" : 0.1,
              "boxed" : 2.0,
              "maybe" : 3.0,
              "inner" : {
                "some_names" : [ "a" ],
                "kind" : "FELL_BACK"
              }
            }
            """);
  }

  @Test
  void writesNumbersThatDoNotApplyAndAbsentValuesAsNull() {
    Figures figures =
        new Figures(
            Double.NaN,
            Double.POSITIVE_INFINITY,
            Optional.of(Double.NEGATIVE_INFINITY),
            Optional.empty());

    assertThat(Json.text(figures))
        .isEqualTo(
            """
            {
              "mean_loss" : null,
              "boxed" : null,
              "maybe" : null,
              "inner" : null
            }
            """);
  }

  @Test
  void keepsTheKeysOfMapsAndTrees() {
    ObjectNode tree = new ObjectMapper().createObjectNode().put("maxPositions", 3);
    assertThat(Json.text(Map.of("model.layers.0", Double.NaN)))
        .isEqualTo("{\n  \"model.layers.0\" : null\n}\n");
    assertThat(Json.text(tree)).isEqualTo("{\n  \"maxPositions\" : 3\n}\n");
  }

  @Test
  void passesOnWhatIsJsonAlready() {
    assertThat(Json.text(new Raw("{\"a\":1}"))).isEqualTo("{\n  \"recipe\" : {\"a\":1}\n}\n");
  }
}
