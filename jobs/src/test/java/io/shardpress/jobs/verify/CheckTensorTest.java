package io.shardpress.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.verify.CheckTensor.Checked;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckTensorTest {
  private static final String NAME = TinyCheckpoint.layer(0, "mlp.up_proj.weight");

  @TempDir private Path folder;

  @Test
  void findsAnEqualTensor() {
    assertThat(check(TinyCheckpoint.llama(1), TinyCheckpoint.llama(1)))
        .isEqualTo(new Checked(NAME, false, 0));
  }

  @Test
  void comparesBytesWhereValuesAreNoNumbers() {
    assertThat(
            check(
                TinyCheckpoint.llama(1).value(NAME, 3, Float.NaN),
                TinyCheckpoint.llama(1).value(NAME, 3, Float.NaN)))
        .isEqualTo(new Checked(NAME, false, 0));
  }

  @Test
  void measuresAChangedDenseTensor() {
    Checked checked = check(TinyCheckpoint.llama(1).value(NAME, 3, 0.5f), TinyCheckpoint.llama(1));
    assertThat(checked.compressed()).isTrue();
    assertThat(checked.error()).isBetween(1e-9, 0.2);
  }

  @Test
  void refusesACopyThatIsNone() {
    assertThatThrownBy(
            () ->
                check(
                    TinyCheckpoint.llama(1).quantizationConfig().value(NAME, 3, 0.5f),
                    TinyCheckpoint.llama(1)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(NAME + " in ")
        .hasMessageContaining("differs from the source, although it was not compressed");
  }

  @Test
  void refusesAnotherModelsTensor() {
    assertThatThrownBy(() -> check(TinyCheckpoint.llama(1), TinyCheckpoint.llama(2)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has nothing to do with the source");
  }

  @Test
  void refusesAnotherShape() {
    assertThatThrownBy(
            () ->
                check(
                    TinyCheckpoint.llama(1).matrix(NAME, 48, 16),
                    TinyCheckpoint.llama(DType.BF16, 1)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is [48, 16] in ")
        .hasMessageContaining("but [48, 32] in the source");
  }

  @Test
  void refusesATensorThatIsMissing() {
    ModelRef published = TinyCheckpoint.llama(1).write(folder.resolve("published"));
    ModelRef source =
        TinyCheckpoint.llama(1).matrix("extra.weight", 4, 4).write(folder.resolve("source"));

    assertThatThrownBy(() -> new CheckTensor(published, source, "extra.weight").run())
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("has no tensor 'extra.weight'");
  }

  private Checked check(TinyCheckpoint model, TinyCheckpoint source) {
    ModelRef published = model.write(folder.resolve("published"));
    return new CheckTensor(published, source.write(folder.resolve("source")), NAME).run();
  }
}
