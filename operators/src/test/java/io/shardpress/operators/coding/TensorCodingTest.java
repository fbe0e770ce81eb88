package io.shardpress.operators.coding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.coding.TensorStatistics.Choice;
import io.shardpress.operators.encoding.BitStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorCodingTest {
  private static final long SEED = 27;

  /** Which weights are zero. */
  private enum Pattern {
    DENSE,
    TWO_OF_FOUR,
    FOUR_OF_EIGHT,
    UNSTRUCTURED;

    /** Zeroes some of the elements that a row of {@code columns} stands for. */
    boolean[] kept(Random random, int elements) {
      boolean[] kept = new boolean[elements];
      int group = this == TWO_OF_FOUR ? 4 : 8;
      for (int i = 0; i < elements; i++) {
        kept[i] = this == DENSE || (this == UNSTRUCTURED && random.nextInt(10) < 4);
      }
      if (this == TWO_OF_FOUR || this == FOUR_OF_EIGHT) {
        for (int start = 0; start + group <= elements; start += group) {
          for (int missing = group / 2; missing > 0; ) {
            int at = start + random.nextInt(group);
            missing -= kept[at] ? 0 : 1;
            kept[at] = true;
          }
        }
      }
      return kept;
    }
  }

  /** All bytes of a tensor that was coded in parts, decoded from the last part to the first. */
  private static byte[] roundTrip(Elements elements, byte[] tensor, Choice choice) {
    TensorCoding decoder = TensorCoding.read(elements, choice.coding().head(), tensor.length);
    List<ByteBuffer> parts = new ArrayList<>();
    for (ByteBuffer part : parts(elements, tensor)) {
      ByteBuffer coded = choice.coding().encode(part).bytes();
      assertThat((long) coded.remaining())
          .isLessThanOrEqualTo(TensorCoding.mostBytes(elements, part.remaining()));
      parts.add(coded);
    }
    byte[] decoded = new byte[tensor.length];
    List<ByteBuffer> into = parts(elements, decoded);
    for (int i = parts.size() - 1; i >= 0; i--) {
      decoder.decode(parts.get(i), into.get(i));
      assertThat(into.get(i).hasRemaining()).isFalse();
    }
    return decoded;
  }

  private static List<ByteBuffer> parts(Elements elements, byte[] tensor) {
    List<ByteBuffer> parts = new ArrayList<>();
    for (int at = 0; at < tensor.length; at += elements.partBytes()) {
      parts.add(ByteBuffer.wrap(tensor, at, Math.min(elements.partBytes(), tensor.length - at)));
    }
    return parts;
  }

  private static Optional<Choice> choice(Elements elements, byte[] tensor) {
    TensorStatistics statistics = new TensorStatistics(elements, tensor.length);
    parts(elements, tensor).forEach(statistics::add);
    return statistics.choose();
  }

  private static long codedBytes(Elements elements, byte[] tensor, Choice choice) {
    return choice.coding().head().remaining()
        + parts(elements, tensor).stream()
            .mapToLong(part -> choice.coding().encode(part).bytes().remaining())
            .sum();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 8})
  void packedCodesComeBack(int bits) {
    for (Pattern pattern : Pattern.values()) {
      for (int columns : new int[] {1, 7, 40, 333, 4096}) {
        int rows = columns == 4096 ? 300 : 70;
        byte[] tensor = packed(new Random(SEED), pattern, bits, rows, columns);
        Elements elements = new PackedCodes(bits, columns);
        Optional<Choice> choice = choice(elements, tensor);
        choice.ifPresent(
            made ->
                assertThat(roundTrip(elements, tensor, made))
                    .as("seed %d, %s, %d bits, %d columns", SEED, pattern, bits, columns)
                    .isEqualTo(tensor));
        assertThat(choice.isPresent() || columns < 4096).isTrue(); // small ones need not pay
      }
    }
  }

  /** Codes as rounding of normal weights makes them, some of them zeroed. */
  private static byte[] packed(Random random, Pattern pattern, int bits, int rows, int columns) {
    byte[] codes = codes(random, pattern, bits, rows * columns);
    int rowBytes = 4 * BitStream.words(columns, bits);
    ByteBuffer packed = ByteBuffer.allocate(rows * rowBytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < rows; row++) {
      new BitStream(bits).pack(codes, row * columns, columns, packed, row * rowBytes);
    }
    return packed.array();
  }

  private static byte[] codes(Random random, Pattern pattern, int bits, int count) {
    int highest = (1 << (bits - 1)) - 1;
    boolean[] kept = pattern.kept(random, count);
    byte[] codes = new byte[count];
    for (int i = 0; i < count; i++) {
      long code = Math.round(random.nextGaussian() * highest / 3);
      long within = Math.max(-highest - 1, Math.min(highest, code));
      boolean pruned = pattern != Pattern.DENSE; // what stays is large, and does not round to 0
      codes[i] = (byte) (!kept[i] ? 0 : within == 0 && pruned ? 1 : within);
    }
    return codes;
  }

  @Test
  void twoOfFourTakesItsMaskAndTheCodesThatAreKept() {
    Elements elements = new PackedCodes(4, 4096);
    byte[] tensor = packed(new Random(SEED), Pattern.TWO_OF_FOUR, 4, 1024, 4096);
    Choice choice = choice(elements, tensor).orElseThrow();
    double weights = 1024 * 4096;

    assertThat(choice.maskBits() / weights).isBetween(0.64, 0.65); // log2(6) / 4
    double bits = 8.0 * codedBytes(elements, tensor, choice) / weights;
    double bound = (choice.maskBits() + choice.valueBits()) / weights;
    System.out.printf("2:4, 4 bits: %.4f bits per weight, bound %.4f%n", bits, bound);
    assertThat(bits).isBetween(bound, 1.01 * bound);
  }

  @Test
  void codesWithFewZerosAreCodedWithoutMasks() {
    Elements elements = new PackedCodes(4, 1024);
    byte[] tensor = packed(new Random(SEED), Pattern.DENSE, 4, 1024, 1024);
    Choice choice = choice(elements, tensor).orElseThrow();

    assertThat(choice.maskBits()).isZero();
    assertThat(choice.coding().maskHeadBytes()).isZero();
    double bound = choice.valueBits() / 8;
    assertThat((double) codedBytes(elements, tensor, choice)).isBetween(bound, 1.01 * bound);
  }

  @ParameterizedTest
  @EnumSource(Pattern.class)
  void codesOfWholeBytesComeBack(Pattern pattern) {
    for (int count : new int[] {100, 4096, (1 << 19) + 9}) {
      byte[] tensor = codes(new Random(SEED), pattern, 8, count);
      Elements elements = new ByteElements();
      Choice choice =
          choice(elements, tensor).orElseGet(() -> new Choice(raw(elements, tensor.length), 0, 0));
      assertThat(roundTrip(elements, tensor, choice)).isEqualTo(tensor);
    }
  }

  private static TensorCoding raw(Elements elements, int bytes) {
    return new TensorCoding(elements, false, List.of(new StreamCoding.Raw()), bytes);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void floatsComeBackBitByBit(DType type) {
    for (Pattern pattern : Pattern.values()) {
      for (int count : new int[] {1000, 65_536, (1 << 19) + 77}) {
        byte[] tensor = floats(new Random(SEED), pattern, type, count);
        Elements elements = new FloatElements(type);
        Choice choice = choice(elements, tensor).orElseThrow();
        assertThat(roundTrip(elements, tensor, choice))
            .as("seed %d, %s %s, %d", SEED, pattern, type, count)
            .isEqualTo(tensor);
        assertThat(choice.maskBits() > 0)
            .as("%s %s of %d", pattern, type, count)
            .isEqualTo(pattern != Pattern.DENSE);
      }
    }
  }

  /** Normal weights, and among them all that floats can be beside numbers. */
  private static byte[] floats(Random random, Pattern pattern, DType type, int count) {
    boolean[] kept = pattern.kept(random, count);
    ByteBuffer bytes = ByteBuffer.allocate(count * type.bits() / 8).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits((float) (0.02 * random.nextGaussian()));
      if (random.nextInt(100) == 0) {
        bits = special(random);
      }
      bits = kept[i] ? bits : 0;
      if (type == DType.F32) {
        bytes.putInt(bits);
      } else {
        bytes.putShort(
            (short)
                (type == DType.BF16
                    ? bits >>> 16
                    : ((bits >>> 16) & 0x8000) | ((bits >>> 15) & 0x7fff)));
      }
    }
    return bytes.array();
  }

  private static int special(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> 0x7fc00000 | random.nextInt(1 << 22); // NaN with a payload
      case 1 -> 0xff800001; // a signalling one
      case 2 -> 0x7f800000 | (random.nextInt(2) << 31); // infinities
      case 3 -> 0x80000000; // -0.0
      case 4 -> random.nextInt(1 << 23); // denormal
      default -> random.nextInt();
    };
  }

  /** Every pattern of 16 bits there is. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void everyNumberOfSixteenBitsComesBack(DType type) {
    ByteBuffer bytes = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 1 << 16; i++) {
      bytes.putShort((short) i);
    }
    Elements elements = new FloatElements(type);
    Planes planes = new Planes(elements, bytes.capacity());
    ByteBuffer back = ByteBuffer.allocate(bytes.capacity());
    assertThat(planes.split(bytes.flip())).isTrue();
    planes.join(back);
    assertThat(back.array()).isEqualTo(bytes.array());
  }

  @Test
  void padsThatAreNotZeroAreNotTakenApart() {
    byte[] tensor = packed(new Random(SEED), Pattern.DENSE, 3, 200, 333);
    tensor[tensor.length - 1] |= (byte) 0x80;
    assertThat(choice(new PackedCodes(3, 333), tensor)).isEmpty();
  }

  @Test
  void noiseAndNothingAreNotCoded() {
    byte[] noise = new byte[1 << 16];
    new Random(SEED).nextBytes(noise);
    assertThat(choice(new FloatElements(DType.F16), noise)).isEmpty();
    assertThat(choice(new PackedCodes(4, 1024), noise)).isEmpty();
    assertThat(choice(new ByteElements(), new byte[0])).isEmpty();
  }

  @Test
  void aTensorThatChangedSinceItWasCountedIsRefused() {
    Elements elements = new ByteElements();
    byte[] tensor = codes(new Random(SEED), Pattern.DENSE, 3, 4096);
    Choice choice = choice(elements, tensor).orElseThrow();
    tensor[9] = 77;
    assertThatThrownBy(() -> choice.coding().encode(ByteBuffer.wrap(tensor)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Symbol 77 is not in the table");
  }

  /** Whatever is done to a part, decoding ends, with what cannot be the source or with an error. */
  @Test
  void damagedPartsAreRefusedOrDecodeToOtherBytes() {
    Elements elements = new FloatElements(DType.BF16);
    byte[] tensor = floats(new Random(SEED), Pattern.UNSTRUCTURED, DType.BF16, 5000);
    Choice choice = choice(elements, tensor).orElseThrow();
    ByteBuffer part = choice.coding().encode(ByteBuffer.wrap(tensor)).bytes();
    ByteBuffer head = choice.coding().head();
    Random random = new Random(SEED);
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
      ByteBuffer badHead = copy(head);
      ByteBuffer badPart = copy(part);
      ByteBuffer bad = random.nextInt(5) == 0 ? badHead : badPart;
      switch (random.nextInt(3)) {
        case 0 -> bad.put(random.nextInt(bad.limit()), (byte) random.nextInt());
        case 1 -> bad.putInt(random.nextInt(Math.min(40, bad.limit() - 3)), random.nextInt());
        default -> bad.limit(random.nextInt(bad.limit()));
      }
      byte[] decoded = new byte[tensor.length];
      boolean same = badHead.equals(head) && badPart.equals(part);
      try {
        TensorCoding.read(elements, badHead, tensor.length)
            .decode(badPart, ByteBuffer.wrap(decoded));
        assertThat(java.util.Arrays.equals(decoded, tensor)).as("seed %d", SEED).isEqualTo(same);
      } catch (DamagedStreamException e) {
        refused++;
      }
    }
    System.out.printf("%d of 3000 damaged parts were refused%n", refused);
    assertThat(refused).isGreaterThan(2000);
  }

  private static ByteBuffer copy(ByteBuffer bytes) {
    return ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
  }
}
