package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import io.shardpress.common.storage.SeekableInput;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Damaged files end in a valid header or in one typed error, never in anything else. Run with a
 * heap of 256 MB; {@code -Dheaders=20000000} for a long run, {@code -Dseed=…} for another one.
 */
@Tag("small-heap")
class HeaderMutationTest {
  private static final int FILES = Integer.getInteger("headers", 200_000);
  private static final long SEED = Long.getLong("seed", 20260101L);
  private static final int WORKERS = 2;

  /** Of parsing a small file: the parser's buffers, and what the text itself asks for. */
  private static final long BASE_BYTES = 256 << 10;

  private static final long BYTES_PER_HEADER_BYTE = 200;

  @Test
  void damageIsRefusedWithATypedErrorOrHarmless() {
    assertThat(Runtime.getRuntime().maxMemory()).as("-Xmx256m").isLessThanOrEqualTo(256L << 20);

    for (int i = 0; i < 1000; i++) { // for the classes to load
      PlainHeaderRules.broken(HeaderMutator.file(i));
      try {
        SafetensorsHeader.read("file", new Guarded(HeaderMutator.file(i)));
      } catch (CheckpointFormatException e) {
        assertThat(e).hasMessageStartingWith("file");
      }
    }
    List<Tally> tallies =
        IntStream.range(0, WORKERS).parallel().mapToObj(HeaderMutationTest::work).toList();

    Tally all = tallies.stream().reduce(new Tally(), Tally::plus);
    System.out.printf(
        "%d headers from seed %d: %d accepted, %s; parsing took %d us at the 99th percentile%n",
        FILES, SEED, all.accepted, all.refusals, all.percentile(0.99));
    assertThat(all.accepted).as("accepted; refusals %s", all.refusals).isGreaterThan(FILES / 100);
    assertThat(all.refusals.keySet())
        .as("every rule was broken at least once; seed %d", SEED)
        .contains(
            Code.HEADER_TOO_SMALL,
            Code.HEADER_TOO_LARGE,
            Code.INVALID_HEADER_LENGTH,
            Code.INVALID_HEADER,
            Code.INVALID_HEADER_DESERIALIZATION,
            Code.DUPLICATE_KEY,
            Code.INVALID_OFFSET,
            Code.VALIDATION_OVERFLOW,
            Code.MISALIGNED_SLICE,
            Code.TENSOR_INVALID_INFO,
            Code.METADATA_INCOMPLETE_BUFFER);
    assertThat(all.percentile(0.99))
        .as("us; far beyond what a busy machine explains")
        .isLessThan(50_000);
  }

  /** What became of some files. */
  private static final class Tally {
    private final Map<Code, Integer> refusals = new EnumMap<>(Code.class);
    private final int[] microseconds = new int[100_001];
    private int accepted;

    Tally plus(Tally other) {
      Tally sum = new Tally();
      for (Tally part : List.of(this, other)) {
        part.refusals.forEach((code, count) -> sum.refusals.merge(code, count, Integer::sum));
        Arrays.setAll(sum.microseconds, i -> sum.microseconds[i] + part.microseconds[i]);
        sum.accepted += part.accepted;
      }
      return sum;
    }

    int percentile(double share) {
      long wanted = (long) (share * Arrays.stream(microseconds).asLongStream().sum());
      int at = 0;
      for (long seen = microseconds[0]; seen < wanted; seen += microseconds[at]) {
        at++;
      }
      return at;
    }
  }

  private static Tally work(int worker) {
    Tally tally = new Tally();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int i = worker; i < FILES; i += WORKERS) {
      long seed = SEED + i;
      byte[] file = HeaderMutator.file(seed);
      Guarded input = new Guarded(file);
      Optional<SafetensorsHeader> header = Optional.empty();
      long allocated = threads.getCurrentThreadAllocatedBytes();
      long start = System.nanoTime();
      try {
        header = Optional.of(SafetensorsHeader.read("file", input));
      } catch (CheckpointFormatException e) {
        tally.refusals.merge(e.code(), 1, Integer::sum);
        require(e.getMessage().startsWith("file"), seed, "names the file: " + e.getMessage());
        require(e.getMessage().length() < 2_000, seed, "is short: " + e.getMessage());
      } catch (RuntimeException | Error e) {
        throw new AssertionError("Seed " + seed + " ended in " + e, e);
      }
      long micros = (System.nanoTime() - start) / 1000;
      allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
      tally.microseconds[(int) Math.min(micros, tally.microseconds.length - 1)]++;
      require(
          allocated < BASE_BYTES + BYTES_PER_HEADER_BYTE * input.headerBytes(),
          seed,
          "allocates %d bytes for a header of %d".formatted(allocated, input.headerBytes()));
      Optional<String> broken = PlainHeaderRules.broken(file);
      require(
          header.isPresent() == broken.isEmpty(),
          seed,
          "was %s, but %s"
              .formatted(header.isPresent() ? "accepted" : "refused", broken.orElse("is right")));
      if (header.isPresent()) {
        requireSound(seed, header.get(), file.length);
        tally.accepted++;
      }
    }
    return tally;
  }

  /** The entries tile the file from the header to its end. */
  private static void requireSound(long seed, SafetensorsHeader header, long fileLength) {
    long position = header.tensors().isEmpty() ? fileLength : -1;
    for (Entry entry : header.tensors().values()) {
      require(position < 0 || entry.begin() == position, seed, "has a hole: " + header);
      require(entry.begin() >= 10, seed, "begins in the header: " + header);
      require(
          entry.end() - entry.begin() == entry.spec().bytes(), seed, "has another size: " + header);
      position = entry.end();
    }
    require(position == fileLength, seed, "ends early: " + header);
  }

  private static void require(boolean holds, long seed, String what) {
    if (!holds) {
      throw new AssertionError("The file of seed " + seed + " " + what);
    }
  }

  /** A file of which the first eight bytes and the header they declare may be read. */
  private static final class Guarded implements SeekableInput {
    private final byte[] file;

    Guarded(byte[] file) {
      this.file = file;
    }

    long headerBytes() {
      if (file.length < 8) {
        return 0;
      }
      long declared = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
      return declared < 0 || declared > file.length - 8 ? 0 : declared;
    }

    @Override
    public long length() {
      return file.length;
    }

    @Override
    public void read(long offset, ByteBuffer into) {
      boolean prefix = offset == 0 && into.remaining() == 8;
      boolean header = offset == 8 && into.remaining() == headerBytes();
      if (!prefix && !header) {
        throw new AssertionError("Read of %d bytes at %d".formatted(into.remaining(), offset));
      }
      into.put(file, (int) offset, into.remaining());
    }

    @Override
    public void close() {}
  }
}
