package io.shardpress.jobs.assemble;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.fixture.MadeUpOutcomes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.run.Workspace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputTensorsTest {
  private static final String UP = TinyCheckpoint.layer(0, "mlp.up_proj");
  private static final String DOWN = TinyCheckpoint.layer(0, "mlp.down_proj");
  private static final TensorSpec PACKED = TensorSpec.of(UP + ".weight_packed", DType.I32, 48, 4);
  private static final TensorSpec SCALE = TensorSpec.of(UP + ".weight_scale", DType.F32, 48, 2);

  @TempDir private Path folder;

  @Test
  void putsResultsInThePlaceOfTheirWeight() {
    Checkpoint source = TinyCheckpoint.llama(1).writeSharded(folder).openWhole().checkpoint();
    Workspace workspace = new Workspace(Location.of("/work"));
    List<String> expected = new ArrayList<>(source.specs().keySet());
    int at = expected.indexOf(UP + ".weight");
    expected.set(at, PACKED.name());
    expected.add(at + 1, SCALE.name());

    List<OutputTensor> tensors =
        OutputTensors.of(
            source,
            Map.of(UP, source.spec(UP + ".weight"), DOWN, source.spec(DOWN + ".weight")),
            List.of(
                MadeUpOutcomes.of(UP, Kind.COMPRESSED, PACKED, SCALE),
                MadeUpOutcomes.of(DOWN, Kind.COPIED)),
            workspace);

    assertThat(tensors).extracting(tensor -> tensor.spec().name()).isEqualTo(expected);
    for (OutputTensor tensor : tensors) {
      boolean result = tensor.spec().equals(PACKED) || tensor.spec().equals(SCALE);
      assertThat(tensor.file())
          .as(tensor.spec().name())
          .isEqualTo(
              result ? workspace.layer(UP) : source.shardOf(tensor.spec().name()).location());
    }
  }
}
