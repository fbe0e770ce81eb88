package io.shardpress.jobs.archive;

import io.shardpress.common.error.InputException;
import io.shardpress.common.json.StrictObject;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.operators.coding.DamagedStreamException;
import io.shardpress.operators.coding.TensorCoding;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads a {@link CodedFile}: its directory when it is opened, and any part of any segment when
 * asked for. No size that it states is believed before it was compared with the file's own length
 * and with what a part can have. Of one thread.
 */
final class CodedFileReader {
  private final String source;
  private final SeekableInput input;
  private final List<Segment> segments;
  private final long[] starts;

  private CodedFileReader(
      String source, SeekableInput input, List<Segment> segments, long[] starts) {
    this.source = source;
    this.input = input;
    this.segments = segments;
    this.starts = starts;
  }

  /**
   * Reads and checks the directory.
   *
   * @param source names the file in messages
   * @throws InputException when it is damaged or no such file
   */
  static CodedFileReader open(String source, SeekableInput input) {
    long least = CodedFile.MAGIC_BYTES + (long) CodedFile.TRAILER_BYTES;
    if (input.length() < least) {
      throw CodedFile.damaged(source, "it has %d bytes only".formatted(input.length()));
    }
    long end = input.length() - CodedFile.TRAILER_BYTES;
    requireMagic(source, read(input, 0, CodedFile.MAGIC_BYTES));
    ByteBuffer trailer = read(input, end, CodedFile.TRAILER_BYTES);
    long start = trailer.getLong();
    int length = trailer.getInt();
    int jsonLength = trailer.getInt();
    requireMagic(source, trailer);
    if (start < CodedFile.MAGIC_BYTES || length < 0 || start != end - length) {
      throw CodedFile.damaged(source, "its directory is not where it should be");
    }
    if (jsonLength < length || jsonLength > CodedFile.MOST_DIRECTORY_BYTES) {
      throw CodedFile.damaged(
          source,
          "its directory would have %d bytes".formatted(Integer.toUnsignedLong(jsonLength)));
    }
    ByteBuffer json = ByteBuffer.allocate(jsonLength);
    Blocks.decode(source, read(input, start, length), json);
    return of(source, input, start, StrictObject.parse(source, json.array()));
  }

  private static CodedFileReader of(
      String source, SeekableInput input, long end, StrictObject directory) {
    List<Segment> segments = new ArrayList<>();
    for (StrictObject segment : directory.objects("segments")) {
      segments.add(Segment.parse(segment));
    }
    long[] starts = new long[segments.size()];
    long position = CodedFile.MAGIC_BYTES;
    for (int i = 0; i < starts.length; i++) {
      starts[i] = position;
      position += segments.get(i).codedBytes(); // of lists of int: no overflow
    }
    if (position != end) {
      throw CodedFile.damaged(
          source, "its segments end at byte %d, not %d".formatted(position, end));
    }
    return new CodedFileReader(source, input, segments, starts);
  }

  private static void requireMagic(String source, ByteBuffer bytes) {
    if (!bytes.equals(ByteBuffer.wrap(CodedFile.MAGIC.getBytes(StandardCharsets.US_ASCII)))) {
      throw CodedFile.damaged(
          source, "it does not begin and end with %s".formatted(CodedFile.MAGIC));
    }
  }

  private static ByteBuffer read(SeekableInput input, long offset, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    input.read(offset, bytes);
    return bytes.flip();
  }

  /** In the order of the file that they were made of. */
  List<Segment> segments() {
    return segments;
  }

  /** The parts of one segment, to be decoded in any order. */
  Parts parts(int index) {
    Segment segment = segments.get(index);
    try {
      return segment.elements().isEmpty()
          ? new Parts(segment, starts[index], Optional.empty())
          : new Parts(
              segment,
              starts[index],
              Optional.of(
                  TensorCoding.read(
                      segment.elements().get(),
                      read(input, starts[index], segment.headBytes()),
                      segment.bytes())));
    } catch (DamagedStreamException e) {
      throw CodedFile.damaged(source, e);
    }
  }

  /** A segment that is being decoded. */
  final class Parts {
    private final Segment segment;
    private final Optional<TensorCoding> coding;
    private final long[] offsets;

    private Parts(Segment segment, long start, Optional<TensorCoding> coding) {
      this.segment = segment;
      this.coding = coding;
      this.offsets = new long[segment.parts().size()];
      long offset = start + segment.headBytes();
      for (int part = 0; part < offsets.length; part++) {
        offsets[part] = offset;
        offset += segment.parts().get(part);
      }
    }

    /** The bytes of one part, in a buffer of the caller's. */
    ByteBuffer decode(int part) {
      ByteBuffer coded = read(input, offsets[part], segment.parts().get(part));
      ByteBuffer bytes = ByteBuffer.allocate(segment.partBytes(part));
      try {
        coding.ifPresentOrElse(
            known -> known.decode(coded, bytes), () -> Blocks.decode(source, coded, bytes));
      } catch (DamagedStreamException e) {
        throw CodedFile.damaged(source, e);
      }
      return bytes.flip();
    }
  }
}
