package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SettingsTest {

  private static Gptq gptq(
      ColumnOrder order, ScaleSource source, double damping, List<Double> ladder) {
    return new Gptq(
        4,
        true,
        GroupSize.of(128),
        Clip.MSE,
        Activations.NONE,
        order,
        source,
        damping,
        ladder,
        Fallback.FAIL,
        128,
        NonfinitePolicy.FAIL);
  }

  @Test
  void settingsTravelWithTasks() throws IOException, ClassNotFoundException {
    List<Settings> all =
        List.of(
            Rtn.of(4, GroupSize.of(128)),
            Gptq.of(3, GroupSize.CHANNEL),
            gptq(ColumnOrder.GROUP, ScaleSource.ORIGINAL, 0.05, List.of(1.0)),
            Magnitude.of(0.5),
            new MagnitudeCut(Magnitude.of(0.5), 0.25f, 3),
            Wanda.of(new Pattern(2, 4)),
            SparseGpt.of(0.5),
            SparseGpt.of(new Pattern(4, 8)).quantized(4, GroupSize.of(32), Levels.ZERO_ALIGNED));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(all);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertThat(in.readObject()).isEqualTo(all);
    }
  }

  private static Stream<Class<?>> records(Class<?> type) {
    return type.isRecord()
        ? Stream.of(type)
        : Arrays.stream(type.getPermittedSubclasses()).flatMap(SettingsTest::records);
  }

  @Test
  void everySettingsRecordBelongsToOneAlgorithm() {
    // A cut is what a survey makes of magnitude's settings; no recipe names it.
    assertThat(records(Settings.class).filter(type -> type != MagnitudeCut.class))
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(Algorithm.values()).map(Algorithm::settings).toList());
    assertThat(Algorithm.of(Gptq.of(4, GroupSize.CHANNEL))).isEqualTo(Algorithm.GPTQ);
    assertThat(Algorithm.named("rtn")).isEqualTo(Algorithm.RTN);
    assertThatThrownBy(() -> Algorithm.named("gptx"))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "There is no algorithm 'gptx'. Choose one of rtn, gptq, magnitude, wanda, sparsegpt,"
                + " refit.");
    assertThat(Rtn.of(4, GroupSize.CHANNEL).needs()).isEqualTo(StatisticsNeed.NONE);
    assertThat(Gptq.of(4, GroupSize.CHANNEL).needs()).isEqualTo(StatisticsNeed.GRAM);
  }

  @ParameterizedTest
  @EnumSource(ColumnOrder.class)
  void oneScalePerRowNeedsNoOrderInTheFile(ColumnOrder order) {
    assertThat(Gptq.of(4, GroupSize.CHANNEL).scheme().order()).isEqualTo(ColumnOrder.NATURAL);
    assertThat(gptq(order, ScaleSource.AUTO, 0.01, List.of(1.0)).scheme().order()).isEqualTo(order);
  }

  @Test
  void wrongValuesAreRefusedWithTheirKey() {
    assertThatThrownBy(() -> Rtn.of(5, GroupSize.CHANNEL))
        .isInstanceOf(InputException.class)
        .hasMessage("bits = 5: give 2, 3, 4 or 8.");
    assertThatThrownBy(() -> gptq(ColumnOrder.STATIC, ScaleSource.AUTO, 0, List.of(1.0)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("damping = 0.0");
    assertThatThrownBy(() -> gptq(ColumnOrder.STATIC, ScaleSource.AUTO, 0.01, List.of()))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("damping-ladder = []");
    assertThatThrownBy(() -> gptq(ColumnOrder.STATIC, ScaleSource.AUTO, 0.01, List.of(10.0, 1.0)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("rising");
    assertThatThrownBy(() -> gptq(ColumnOrder.STATIC, ScaleSource.UPDATED, 0.01, List.of(1.0)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("scale-source = updated does not go with order = static");
    assertThatThrownBy(() -> new Clip(Clip.Method.MSE, 100, 1, 2.4))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("clip.max-shrink = 1.0");
    assertThatThrownBy(() -> Clip.parse("max"))
        .isInstanceOf(InputException.class)
        .hasMessage("clip = max: give best, mse, absmax or sawb.");
  }

  @ParameterizedTest
  @CsvSource({"channel, 0", "1, 1", "128, 128"})
  void groupSizesAreReadAsWritten(String text, int columns) {
    assertThat(GroupSize.parse(text).columns()).isEqualTo(columns);
    assertThat(GroupSize.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @CsvSource({"0", "-1", "row", "1.5"})
  void otherGroupSizesAreRefused(String text) {
    assertThatThrownBy(() -> GroupSize.parse(text))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("group-size = " + text);
  }

  @Test
  void widthsWithoutAnEvenDivisorLeaveOnlyTheChannel() {
    GroupSize.of(32).check(96);
    GroupSize.CHANNEL.check(97);
    assertThatThrownBy(() -> GroupSize.of(32).check(97))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("97 inputs")
        .hasMessageContaining("Choose channel for it");
  }
}
