package io.shardpress.operators.coding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class RansTest {

  @Property(tries = 300)
  void chunksOfAnyDistributionComeBack(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 5000) int length,
      @ForAll @IntRange(min = 2, max = 256) int alphabet,
      @ForAll @DoubleRange(min = 0, max = 60) double skew) {
    byte[] symbols = Symbols.random(seed, length, alphabet, skew);
    symbols[0] = (byte) ~symbols[1]; // two different ones at least
    RansTable table = RansTable.of(Symbols.counts(symbols));

    byte[] room = new byte[Rans.mostBytes(length)];
    int at = Rans.encode(table, symbols, 0, length, room);
    byte[] decoded = new byte[length];
    Rans.decode(written(table), ByteBuffer.wrap(room, at, room.length - at), length, decoded, 0);

    assertThat(decoded).isEqualTo(symbols);
  }

  private static RansTable written(RansTable table) {
    ByteBuffer bytes = ByteBuffer.allocate(table.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    table.write(bytes);
    assertThat(bytes.hasRemaining()).isFalse();
    return RansTable.read(bytes.flip());
  }

  @Property(tries = 300)
  void tablesHaveTheirTotalAndAllSymbols(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 3000) int length,
      @ForAll @IntRange(min = 2, max = 256) int alphabet,
      @ForAll @DoubleRange(min = 0, max = 60) double skew) {
    byte[] symbols = Symbols.random(seed, length, alphabet, skew);
    symbols[0] = (byte) ~symbols[1];
    SymbolCounts counts = Symbols.counts(symbols);
    int[] frequencies = RansTable.of(counts).frequencies();
    assertThat(Arrays.stream(frequencies).sum()).isEqualTo(1 << 16);
    for (int symbol = 0; symbol < 256; symbol++) {
      assertThat(frequencies[symbol] > 0).isEqualTo(counts.of(symbol) > 0);
    }
  }

  @Test
  void hugeCountsDoNotOverflow() {
    SymbolCounts counts = new SymbolCounts().without(7, -(1L << 55)).without(9, -1);
    int[] frequencies = RansTable.of(counts).frequencies();
    assertThat(frequencies[7]).isEqualTo(65535);
    assertThat(frequencies[9]).isEqualTo(1);
  }

  @Test
  void symbolsWithoutFrequencyAreRefused() {
    RansTable table = RansTable.of(Symbols.counts(new byte[] {1, 2, 2}));
    assertThatThrownBy(() -> Rans.encode(table, new byte[] {1, 3}, 0, 2, new byte[64]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Symbol 3 is not in the table");
  }

  @Property(tries = 300)
  void damagedChunksAreRefusedOrDecodeToOtherSymbols(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 400) int length) {
    Random random = new Random(seed);
    byte[] symbols = Symbols.random(seed, length + 1, 40, 3);
    symbols[0] = (byte) ~symbols[1];
    RansTable table = RansTable.of(Symbols.counts(symbols));
    byte[] room = new byte[Rans.mostBytes(symbols.length)];
    int at = Rans.encode(table, symbols, 0, symbols.length, room);
    room[at + random.nextInt(room.length - at)] ^= (byte) (1 << random.nextInt(8));
    byte[] decoded = new byte[symbols.length];
    try {
      Rans.decode(table, ByteBuffer.wrap(room, at, room.length - at), decoded.length, decoded, 0);
    } catch (DamagedStreamException e) {
      assertThat(e).hasMessage("a chunk does not hold the symbols that it should");
      return;
    }
    assertThat(decoded).isNotEqualTo(symbols);
  }

  @Test
  void damagedTablesAreRefused() {
    ByteBuffer table = ByteBuffer.allocate(36).order(ByteOrder.LITTLE_ENDIAN);
    table.put(0, (byte) 3).putShort(32, (short) 10).putShort(34, (short) 20);
    refuses(table, "the frequencies of a table have the sum 30, not 65536");
    refuses(table.putShort(34, (short) 0), "a frequency is 0");
    refuses(table.limit(35), "a table of frequencies is cut short");
    refuses(table.limit(31), "a table of frequencies is cut short");
  }

  private static void refuses(ByteBuffer table, String why) {
    assertThatThrownBy(() -> RansTable.read(table.rewind()))
        .isInstanceOf(DamagedStreamException.class)
        .hasMessage(why);
  }
}
