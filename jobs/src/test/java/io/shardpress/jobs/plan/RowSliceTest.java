package io.shardpress.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RowSliceTest {
  @Test
  void leavesMostWeightsWhole() {
    assertThat(RowSlice.of(4096, 11008)).containsExactly(new RowSlice(0, 4096));
    assertThat(RowSlice.of(8192, 8192)).containsExactly(new RowSlice(0, 8192));
  }

  @Test
  void cutsTheWeightsOfASeventyBillionModel() {
    assertThat(RowSlice.of(28672, 8192))
        .extracting(RowSlice::count)
        .containsExactly(7168L, 7168L, 7168L, 7168L);
    assertThat(RowSlice.of(8192, 28672)).extracting(RowSlice::count).containsOnly(2048L).hasSize(4);
  }

  @Test
  void coversEveryRowOnce() {
    long seed = 3;
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      covers(1 + random.nextInt(300_000), 1 + random.nextInt(60_000), seed);
    }
  }

  private static void covers(long out, long in, long seed) {
    String what = "%d x %d, seed %d".formatted(out, in, seed);
    long next = 0;
    for (RowSlice slice : RowSlice.of(out, in)) {
      assertThat(slice.first()).as(what).isEqualTo(next).isEqualTo(slice.first() / 1024 * 1024);
      assertThat(slice.count()).as(what).isPositive();
      assertThat(slice.count() <= 1024 || slice.count() * in <= RowSlice.MOST_WEIGHTS)
          .as(what)
          .isTrue();
      next += slice.count();
    }
    assertThat(next).as(what).isEqualTo(out);
  }
}
