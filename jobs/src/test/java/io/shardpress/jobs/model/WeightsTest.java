package io.shardpress.jobs.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class WeightsTest {
  private static final String CONV = "h.0.mlp.c_fc";

  @TempDir private Path folder;

  @Test
  void readsWeightsAsTheyAreStored() {
    OpenModel model = TinyCheckpoint.gpt2(1).write(folder).openWhole();
    WeightSource weights = model.weights();

    assertThat(weights.contains(CONV + ".weight")).isTrue();
    assertThat(weights.contains(CONV)).isFalse();
    assertThat(weights.vector(CONV + ".bias")).hasSize(4 * TinyCheckpoint.HIDDEN);
    try (INDArray stored = weights.matrix(CONV + ".weight");
        INDArray rows = weights.gather("wte.weight", new long[] {3, 1, 3});
        INDArray table = weights.matrix("wte.weight")) {
      assertThat(Floats.rows(stored)).isEqualTo(TinyCheckpoint.HIDDEN);
      assertThat(Floats.columns(stored)).isEqualTo(4 * TinyCheckpoint.HIDDEN);
      float[] expected = new float[TinyCheckpoint.HIDDEN];
      float[] found = new float[TinyCheckpoint.HIDDEN];
      for (int i = 0; i < 3; i++) {
        Floats.readRow(table, new long[] {3, 1, 3}[i], expected);
        Floats.readRow(rows, i, found);
        assertThat(found).isEqualTo(expected);
      }
    }
  }

  @Test
  void namesATensorThatIsNotThere() {
    WeightSource weights = TinyCheckpoint.gpt2(2).write(folder).openWhole().weights();
    assertThatThrownBy(() -> weights.matrix("h.9.mlp.c_fc.weight"))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("has no tensor 'h.9.mlp.c_fc.weight'");
  }

  @Test
  void turnsConv1dWeightsForSolvers() {
    OpenModel model = TinyCheckpoint.gpt2(3).write(folder).openWhole();
    try (INDArray stored = model.weights().matrix(CONV + ".weight");
        INDArray turned =
            model.denseWeight(CONV + ".weight", Layout.IN_OUT, 0, 4 * TinyCheckpoint.HIDDEN);
        INDArray back = Floats.transpose(turned)) {
      assertThat(Floats.rows(turned)).isEqualTo(4 * TinyCheckpoint.HIDDEN);
      assertThat(Floats.toArray(back)).isEqualTo(Floats.toArray(stored));
      assertThat(Floats.toArray(turned)).isNotEqualTo(Floats.toArray(stored));
    }
  }

  @Test
  void putsCompressedModulesInThePlaceOfConv1dWeights() {
    OpenModel model = TinyCheckpoint.gpt2(4).write(folder).openWhole();
    WeightSource original = model.weights();
    WeightSource mixed = model.with(new Marked(CONV, 4 * TinyCheckpoint.HIDDEN, 32), Precision.F32);

    try (INDArray seen = mixed.matrix(CONV + ".weight");
        INDArray other = mixed.matrix("h.1.mlp.c_fc.weight");
        INDArray dense = original.matrix("h.1.mlp.c_fc.weight")) {
      assertThat(Floats.rows(seen)).as("as the forward pass wants it: [in, out]").isEqualTo(32);
      float[] row = new float[4 * TinyCheckpoint.HIDDEN];
      Floats.readRow(seen, 5, row);
      assertThat(row[7]).as("out 7, in 5").isEqualTo(7 * 1000 + 5);
      assertThat(Floats.toArray(other)).isEqualTo(Floats.toArray(dense));
    }
    assertThat(mixed.vector(CONV + ".bias")).isEqualTo(original.vector(CONV + ".bias"));
    assertThat(mixed.contains(CONV + ".weight")).isTrue();
    assertThat(mixed.contains(CONV + ".weight_packed")).isFalse();
  }

  @Test
  void putsCompressedModulesInThePlaceOfPlainWeights() {
    String module = TinyCheckpoint.layer(1, "mlp.up_proj");
    OpenModel model = TinyCheckpoint.llama(DType.BF16, 5).write(folder).openWhole();
    try (INDArray seen =
        model.with(new Marked(module, 48, 32), Precision.F32).matrix(module + ".weight")) {
      assertThat(Floats.rows(seen)).isEqualTo(48);
      float[] row = new float[32];
      Floats.readRow(seen, 7, row);
      assertThat(row[5]).isEqualTo(7 * 1000 + 5);
    }
  }

  @Test
  void knowsWhatTokensFitTheModel() {
    OpenModel model = TinyCheckpoint.llama(6).config("bos_token_id", 3).write(folder).openWhole();
    assertThat(model.tokens().vocabulary()).isEqualTo(TinyCheckpoint.VOCABULARY);
    assertThat(model.tokens().contextLength()).isEqualTo(64);
    assertThat(model.tokens().bos()).hasValue(3);
    assertThat(model.isCompressed()).isFalse();
  }

  @Test
  void cannotRunAnUnknownFamily() {
    OpenModel model = TinyCheckpoint.unknown(7).write(folder).openWhole();
    assertThat(model.architecture()).isEmpty();
    assertThatThrownBy(model::tokens)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is of the family 'mystery', which Shardpress cannot run")
        .hasMessageContaining("llama")
        .hasMessageContaining("Data-free compression (rtn) works");
  }

  /** One module whose weights tell their place: {@code 1000 · out + in}. */
  private record Marked(String module, int out, int in) implements ModuleWeights {
    @Override
    public boolean contains(String name) {
      return name.equals(module);
    }

    @Override
    public INDArray matrix(String name, Precision precision) {
      float[] values = new float[out * in];
      for (int i = 0; i < values.length; i++) {
        values[i] = 1000 * (i / in) + i % in;
      }
      return Floats.of(values, out, in);
    }
  }
}
