package io.shardpress.operators.coding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CodedStreamTest {
  private static final int CHUNK = 1 << 16;

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, 2, 3, 100, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5})
  void streamsOfAllLengthsComeBack(int length) {
    for (int alphabet : new int[] {1, 2, 3, 16, 255, 256}) {
      for (double skew : new double[] {0, 2, 40}) {
        byte[] symbols = Symbols.random(length + alphabet, length, alphabet, skew);
        assertThat(decoded(symbols))
            .as("%d symbols of %d, skew %s", length, alphabet, skew)
            .isEqualTo(symbols);
      }
    }
  }

  private static byte[] decoded(byte[] symbols) {
    StreamCoding coding = StreamCoding.choose(Symbols.counts(symbols));
    ByteBuffer written = write(coding, symbols);
    byte[] decoded = new byte[symbols.length];
    CodedStream.read(readAgain(coding), written, symbols.length).decode(decoded);
    assertThat(written.hasRemaining()).isFalse();
    return decoded;
  }

  private static ByteBuffer write(StreamCoding coding, byte[] symbols) {
    ByteBuffer bytes =
        ByteBuffer.allocate(CodedStream.mostBytes(symbols.length)).order(ByteOrder.LITTLE_ENDIAN);
    CodedStream.write(coding, symbols, symbols.length, bytes);
    return bytes.flip();
  }

  private static StreamCoding readAgain(StreamCoding coding) {
    ByteBuffer head = ByteBuffer.allocate(coding.headBytes()).order(ByteOrder.LITTLE_ENDIAN);
    coding.write(head);
    assertThat(head.hasRemaining()).isFalse();
    return StreamCoding.read(head.flip());
  }

  /**
   * Beside it stand 16 bytes of every chunk, and the table; symbols rarer than one in 65,536 cost
   * the others up to twice what the table takes.
   */
  @Property(tries = 60)
  void longStreamsTakeWithinOnePercentOfTheirEntropy(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 256) int alphabet,
      @ForAll @DoubleRange(min = 0, max = 60) double skew) {
    byte[] symbols = Symbols.random(seed, 20 * CHUNK, alphabet, skew);
    SymbolCounts counts = Symbols.counts(symbols);
    StreamCoding coding = StreamCoding.choose(counts);
    int bytes = write(coding, symbols).remaining();
    double bound = counts.bits() / 8;
    int beside = 4 + 20 * (Integer.BYTES + Rans.mostBytes(0)) + 2 * coding.headBytes();

    assertThat((double) bytes)
        .as("alphabet %d, skew %.1f, entropy %.4f", alphabet, skew, 8 * bound / symbols.length)
        .isBetween(bound, 1.01 * bound + beside);
    assertThat(coding.headBytes()).isLessThanOrEqualTo(33 + 2 * 256);
  }

  /** As codes of four bits are distributed. */
  @Example
  void streamsOfCodesTakeWithinATenthOfAPercent() {
    Random random = new Random(3);
    byte[] symbols = new byte[50 * CHUNK];
    for (int i = 0; i < symbols.length; i++) {
      symbols[i] = (byte) Math.max(-8, Math.min(7, Math.round(2.5 * random.nextGaussian())));
    }
    SymbolCounts counts = Symbols.counts(symbols);
    int bytes = write(StreamCoding.choose(counts), symbols).remaining();

    assertThat(8 * bytes / counts.bits()).isBetween(1.0, 1.001);
  }

  @Property(tries = 40)
  void anyChunkIsThatOfTheWhole(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 6 * CHUNK) int length,
      @ForAll @IntRange(min = 1, max = 256) int alphabet,
      @ForAll @DoubleRange(min = 0, max = 20) double skew) {
    byte[] symbols = Symbols.random(seed, length, alphabet, skew);
    StreamCoding coding = StreamCoding.choose(Symbols.counts(symbols));
    CodedStream stream = CodedStream.read(coding, write(coding, symbols), length);

    assertThat(stream.chunks()).isEqualTo((length + CHUNK - 1) / CHUNK);
    for (int chunk = stream.chunks() - 1; chunk >= 0; chunk--) {
      byte[] decoded = new byte[stream.length(chunk)];
      stream.decode(chunk, decoded, 0);
      assertThat(decoded)
          .isEqualTo(Arrays.copyOfRange(symbols, chunk * CHUNK, chunk * CHUNK + decoded.length));
    }
  }

  @Example
  void oneSymbolTakesNothingButItsNumber() {
    byte[] symbols = new byte[5 * CHUNK];
    Arrays.fill(symbols, (byte) -3);
    StreamCoding coding = StreamCoding.choose(Symbols.counts(symbols));
    assertThat(coding).isEqualTo(new StreamCoding.Constant((byte) -3));
    assertThat(write(coding, symbols).remaining()).isEqualTo(4);
    assertThat(decoded(symbols)).isEqualTo(symbols);
  }

  @Example
  void symbolsWithoutPatternAreStoredAsTheyAre() {
    byte[] symbols = Symbols.random(1, 3 * CHUNK, 256, 0);
    for (int i = 0; i < symbols.length; i++) {
      symbols[i] = (byte) i;
    }
    assertThat(StreamCoding.choose(Symbols.counts(symbols))).isEqualTo(new StreamCoding.Raw());
    assertThat(decoded(symbols)).isEqualTo(symbols);
  }

  @Example
  void chunksUnlikeTheRestAreStoredAsTheyAre() {
    byte[] symbols = new byte[20 * CHUNK];
    for (int i = 0; i < CHUNK; i++) {
      symbols[7 * CHUNK + i] = (byte) i;
    }
    StreamCoding coding = StreamCoding.choose(Symbols.counts(symbols));
    assertThat(coding).isInstanceOf(StreamCoding.Coded.class);
    assertThat(write(coding, symbols).remaining()).isLessThan(CHUNK + 20 * 1000);
    assertThat(decoded(symbols)).isEqualTo(symbols);
  }

  @Example
  void lengthsThatLieAreRefused() {
    byte[] symbols = Symbols.random(5, 2 * CHUNK, 9, 3);
    StreamCoding coding = StreamCoding.choose(Symbols.counts(symbols));
    ByteBuffer written = write(coding, symbols);

    refuses(coding, written.duplicate(), 7, "a stream of 131072 symbols stands where 7 should be");
    refuses(coding, written.duplicate().limit(3), 7, "a stream is cut short");
    refuses(coding, written.duplicate().limit(11), symbols.length, "a stream is cut short");
    refuses(
        coding,
        written.duplicate().limit(written.limit() - 1),
        symbols.length,
        "a stream is cut short");
    written.putInt(8, -1);
    refuses(coding, written, symbols.length, "a chunk of 65536 symbols has -1 bytes");
    written.putInt(8, CHUNK + 1);
    refuses(coding, written, symbols.length, "a chunk of 65536 symbols has 65537 bytes");
  }

  private static void refuses(StreamCoding coding, ByteBuffer bytes, int count, String why) {
    ByteBuffer from = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    assertThatThrownBy(() -> CodedStream.read(coding, from, count))
        .isInstanceOf(DamagedStreamException.class)
        .hasMessage(why);
  }
}
