package io.shardpress.jobs.assemble;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.fixture.MadeUpOutcomes;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerStep;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Rtn;
import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.model.LinearModule.Layout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputTensorsTest {
  private static final String UP = TinyCheckpoint.layer(0, "mlp.up_proj");
  private static final String DOWN = TinyCheckpoint.layer(0, "mlp.down_proj");

  @TempDir private Path folder;
  private final Encoder encoder = new CompressedTensors();

  @Test
  void putsResultsInThePlaceOfTheirWeight() {
    ModelRef model = TinyCheckpoint.llama(1).writeSharded(folder);
    Checkpoint source = model.openWhole().checkpoint();
    Workspace workspace = new Workspace(Location.of("/work"));
    Plan plan =
        Planner.plan(
            model.openWhole(),
            Recipes.read(folder, "steps = [ { rtn { group-size = 16 } } ]"),
            encoder);
    LayerTask up = layer(plan, UP);
    LayerTask down = layer(plan, DOWN);
    TensorSpec[] encoded = encoder.plan(up.stored(), up.storage()).toArray(TensorSpec[]::new);
    List<String> expected = new ArrayList<>(source.specs().keySet());
    int at = expected.indexOf(UP + ".weight");
    expected.remove(at);
    for (TensorSpec spec : encoded) {
      expected.add(at++, spec.name());
    }

    List<OutputTensor> tensors =
        new OutputTensors(workspace, encoder)
            .of(
                source,
                List.of(up, down),
                List.of(
                    MadeUpOutcomes.cut(UP, List.of(encoded), new RowSlice(0, up.out())),
                    MadeUpOutcomes.of(DOWN, Kind.COPIED)));

    assertThat(tensors).extracting(tensor -> tensor.spec().name()).isEqualTo(expected);
    for (OutputTensor tensor : tensors) {
      boolean result = List.of(encoded).contains(tensor.spec());
      assertThat(tensor.pieces())
          .as(tensor.spec().name())
          .extracting(OutputTensor.Piece::file)
          .containsExactly(
              result
                  ? workspace.layers().child(UP + "0.safetensors")
                  : source.shardOf(tensor.spec().name()).location());
    }
  }

  @Test
  void stacksTheRowsOfALayerThatWasCut() {
    StoredLinear whole = new StoredLinear("m", 2048, 32, DType.F32, Layout.OUT_IN);
    LayerTask layer =
        new LayerTask(
            "m",
            TensorSpec.of("m.weight", DType.F32, 2048, 32),
            2048,
            32,
            Layout.OUT_IN,
            "m.input",
            0,
            false,
            List.of(new LayerStep(0, Rtn.of(4, GroupSize.of(16)), "")));
    List<TensorSpec> encoded = encoder.plan(whole, layer.storage());
    LayerOutcome cut =
        MadeUpOutcomes.cut("m", encoded, new RowSlice(0, 1024), new RowSlice(1024, 1024));

    List<OutputTensor> tensors =
        new OutputTensors(new Workspace(Location.of("/work")), encoder).encoded(layer, cut);

    assertThat(tensors).extracting(OutputTensor::spec).isEqualTo(encoded);
    for (OutputTensor tensor : tensors) {
      boolean ofRows = !tensor.spec().name().endsWith("_shape");
      assertThat(tensor.pieces()).as(tensor.spec().name()).hasSize(ofRows ? 2 : 1);
      assertThat(tensor.pieces().get(0).spec().shape().get(0)).isEqualTo(ofRows ? 1024L : 2L);
    }
  }

  private static LayerTask layer(Plan plan, String module) {
    return plan.layers().stream()
        .filter(layer -> layer.module().equals(module))
        .findFirst()
        .orElseThrow();
  }
}
