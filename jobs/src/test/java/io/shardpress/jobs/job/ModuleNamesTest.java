package io.shardpress.jobs.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ModuleNamesTest {

  @Test
  void saysWhichNumbersNamesHave() {
    assertThat(ModuleNames.together(List.of("lm_head"))).isEqualTo("lm_head");
    assertThat(ModuleNames.together(List.of("h.3.fc"))).isEqualTo("h.3.fc");
    assertThat(ModuleNames.together(blocks(0, 1, 2, 5))).isEqualTo("h.{0-2,5}.fc");
    assertThat(ModuleNames.together(blocks(0, 2, 4, 6, 8))).as("too many gaps").isEqualTo("h.*.fc");
  }

  @Test
  void saysNumbersOnlyWhereEveryCombinationIsMeant() {
    assertThat(ModuleNames.together(List.of("h.0.e.0.w", "h.0.e.1.w", "h.1.e.0.w", "h.1.e.1.w")))
        .isEqualTo("h.{0-1}.e.{0-1}.w");
    assertThat(ModuleNames.together(List.of("h.0.e.0.w", "h.1.e.1.w"))).isEqualTo("h.*.e.*.w");
  }

  @Test
  void enumerates() {
    assertThat(ModuleNames.enumerated(List.of("a"))).isEqualTo("a");
    assertThat(ModuleNames.enumerated(List.of("a", "b"))).isEqualTo("a and b");
    assertThat(ModuleNames.enumerated(List.of("a", "b", "c"))).isEqualTo("a, b and c");
  }

  private static List<String> blocks(int... numbers) {
    return IntStream.of(numbers).mapToObj("h.%d.fc"::formatted).toList();
  }
}
