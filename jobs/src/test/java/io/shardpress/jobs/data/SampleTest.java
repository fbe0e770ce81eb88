package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SampleTest {
  @Test
  void firstTakesTheBeginning() {
    assertThat(Sample.FIRST.choose(10, 3, 0)).containsExactly(0, 1, 2);
  }

  @Test
  void spreadTakesEvenlySpacedWindows() {
    assertThat(Sample.SPREAD.choose(10, 4, 0)).containsExactly(0, 2, 5, 7);
  }

  @Test
  void spreadDoesNotOverflow() {
    assertThat(Sample.SPREAD.choose(Integer.MAX_VALUE, 3, 0))
        .containsExactly(0, 715827882, 1431655764);
  }

  /** Written down so that a release cannot silently calibrate on other data. */
  @Test
  void randomIsTheSameForeverForOneSeed() {
    assertThat(Sample.RANDOM.choose(100, 5, 7)).containsExactly(13, 31, 39, 76, 80);
  }

  @Test
  void randomFollowsTheSeed() {
    assertThat(Sample.RANDOM.choose(1000, 20, 1)).isNotEqualTo(Sample.RANDOM.choose(1000, 20, 2));
  }

  @ParameterizedTest
  @EnumSource
  void allWindowsAreTakenWhenAllAreAskedFor(Sample sample) {
    assertThat(sample.choose(5, 5, 3)).containsExactly(0, 1, 2, 3, 4);
  }

  @ParameterizedTest
  @EnumSource
  void windowsAreAscendingDistinctAndThere(Sample sample) {
    assertThat(Arrays.stream(sample.choose(50, 20, 11)).boxed())
        .hasSize(20)
        .isSorted()
        .doesNotHaveDuplicates()
        .allSatisfy(window -> assertThat(window).isBetween(0, 49));
  }

  @Test
  void moreThanThereAreIsAMistakeOfTheCaller() {
    assertThatThrownBy(() -> Sample.FIRST.choose(2, 3, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 of 2");
  }
}
