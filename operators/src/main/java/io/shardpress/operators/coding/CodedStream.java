package io.shardpress.operators.coding;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Symbols of one stream in chunks of {@value #CHUNK}, each of which can be decoded by itself.
 *
 * <p>Little-endian: the number of symbols, 32 bits; where they are coded, the length of every
 * chunk, 32 bits each; the chunks. A chunk as long as its symbols holds them as they are: coding
 * did not make it shorter.
 */
final class CodedStream {
  static final int CHUNK = 1 << 16;

  private final StreamCoding coding;
  private final int symbols;
  private final ByteBuffer data;

  /** Where each chunk begins in the data, and where the last one ends. */
  private final int[] offsets;

  private CodedStream(StreamCoding coding, int symbols, ByteBuffer data, int[] offsets) {
    this.coding = coding;
    this.symbols = symbols;
    this.data = data;
    this.offsets = offsets;
  }

  /** The most bytes that {@link #write} can take for {@code count} symbols. */
  static int mostBytes(int count) {
    return Integer.BYTES * (1 + chunks(count)) + count;
  }

  private static int chunks(int count) {
    return (count + CHUNK - 1) / CHUNK;
  }

  /** Writes the first {@code count} symbols. */
  static void write(StreamCoding coding, byte[] symbols, int count, ByteBuffer into) {
    into.putInt(count);
    if (coding instanceof StreamCoding.Raw) {
      into.put(symbols, 0, count);
    } else if (coding instanceof StreamCoding.Coded coded) {
      int lengths = into.position();
      into.position(lengths + Integer.BYTES * chunks(count));
      byte[] scratch = new byte[Rans.mostBytes(Math.min(count, CHUNK))];
      for (int from = 0; from < count; from += CHUNK) {
        int length = Math.min(CHUNK, count - from);
        int at = Rans.encode(coded.table(), symbols, from, length, scratch);
        int bytes = scratch.length - at;
        if (bytes < length) {
          into.put(scratch, at, bytes);
        } else {
          into.put(symbols, from, length);
        }
        into.putInt(lengths + Integer.BYTES * (from / CHUNK), Math.min(bytes, length));
      }
    }
  }

  /**
   * Takes what {@link #write} wrote from the buffer, without decoding it.
   *
   * @param from little-endian, in an array; must stay as it is while the stream is used
   * @throws DamagedStreamException unless it holds exactly {@code count} symbols
   */
  static CodedStream read(StreamCoding coding, ByteBuffer from, int count) {
    require(from.remaining() >= Integer.BYTES, "a stream is cut short");
    int found = from.getInt();
    require(
        found == count, "a stream of %d symbols stands where %d should be", found, (long) count);
    int[] offsets = new int[chunks(count) + 1];
    if (coding instanceof StreamCoding.Coded) {
      require(from.remaining() >= Integer.BYTES * chunks(count), "a stream is cut short");
      for (int chunk = 0; chunk < chunks(count); chunk++) {
        int length = from.getInt();
        require(
            length >= 0 && length <= length(count, chunk),
            "a chunk of %d symbols has %d bytes",
            length(count, chunk),
            length);
        offsets[chunk + 1] = offsets[chunk] + length;
      }
    } else if (coding instanceof StreamCoding.Raw) {
      for (int chunk = 0; chunk < chunks(count); chunk++) {
        offsets[chunk + 1] = offsets[chunk] + length(count, chunk);
      }
    }
    int bytes = offsets[chunks(count)];
    require(from.remaining() >= bytes, "a stream is cut short");
    ByteBuffer data = from.slice(from.position(), bytes);
    from.position(from.position() + bytes);
    return new CodedStream(coding, count, data, offsets);
  }

  private static void require(boolean condition, String what, long... values) {
    if (!condition) {
      throw new DamagedStreamException(what.formatted(Arrays.stream(values).boxed().toArray()));
    }
  }

  private static int length(int symbols, int chunk) {
    return Math.min(CHUNK, symbols - chunk * CHUNK);
  }

  int chunks() {
    return offsets.length - 1;
  }

  /** Symbols of a chunk: {@value #CHUNK} of all but the last. */
  int length(int chunk) {
    return length(symbols, chunk);
  }

  /** Decodes one chunk into {@code into} from {@code at} on. */
  void decode(int chunk, byte[] into, int at) {
    int length = length(chunk);
    int bytes = offsets[chunk + 1] - offsets[chunk];
    if (coding instanceof StreamCoding.Constant constant) {
      Arrays.fill(into, at, at + length, constant.symbol());
    } else if (coding instanceof StreamCoding.Coded coded && bytes < length) {
      Rans.decode(coded.table(), data.slice(offsets[chunk], bytes), length, into, at);
    } else {
      data.get(offsets[chunk], into, at, length);
    }
  }

  /** Decodes all chunks, one behind the other. */
  void decode(byte[] into) {
    for (int chunk = 0; chunk < chunks(); chunk++) {
      decode(chunk, into, chunk * CHUNK);
    }
  }
}
