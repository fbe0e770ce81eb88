package io.shardpress.operators.coding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * How all parts of a tensor are coded: its planes as streams with static tables, after a stream of
 * masks where leaving out zeros makes it shorter. Parts are coded and decoded in any order, each by
 * itself. Has scratch of its own: of one thread.
 */
public final class TensorCoding {
  private static final int MASKED = 1;

  /** The longest head: four planes and masks, each with a table of all symbols. */
  public static final int MOST_HEAD_BYTES = 1 + 5 * (1 + 32 + 512);

  private final Elements elements;
  private final boolean masked;

  /** Of the masks, if there are any, and of each plane. */
  private final List<StreamCoding> streams;

  private final Planes planes;

  /**
   * @param partBytes of the longest part
   */
  TensorCoding(Elements elements, boolean masked, List<StreamCoding> streams, int partBytes) {
    this.elements = elements;
    this.masked = masked;
    this.streams = List.copyOf(streams);
    this.planes = new Planes(elements, partBytes);
  }

  /**
   * Reads a head.
   *
   * @param tensorBytes of the whole tensor, in whole units
   * @throws DamagedStreamException when it is none of such elements
   */
  public static TensorCoding read(Elements elements, ByteBuffer head, long tensorBytes) {
    ByteBuffer from = head.slice().order(ByteOrder.LITTLE_ENDIAN);
    int form = from.hasRemaining() ? from.get() : -1;
    if (form != 0 && form != MASKED) {
      throw new DamagedStreamException("a tensor is coded in the unknown form " + form);
    }
    List<StreamCoding> streams = new ArrayList<>();
    for (int i = 0; i < elements.planes() + form; i++) {
      streams.add(StreamCoding.read(from));
    }
    if (from.hasRemaining()) {
      throw new DamagedStreamException("the head of a tensor is too long");
    }
    return new TensorCoding(
        elements, form == MASKED, streams, (int) Math.min(elements.partBytes(), tensorBytes));
  }

  /** What a decoder needs to know beforehand: the tables. */
  public ByteBuffer head() {
    ByteBuffer head =
        ByteBuffer.allocate(1 + streams.stream().mapToInt(StreamCoding::headBytes).sum())
            .order(ByteOrder.LITTLE_ENDIAN)
            .put((byte) (masked ? MASKED : 0));
    streams.forEach(stream -> stream.write(head));
    return head.flip();
  }

  /** Bytes of the head that the table of masks takes. */
  public int maskHeadBytes() {
    return masked ? streams.get(0).headBytes() : 0;
  }

  /** The most bytes of a coded part of so many bytes, in whole units. */
  public static long mostBytes(Elements elements, int partBytes) {
    int count = (int) elements.elements(partBytes);
    return (long) elements.planes() * CodedStream.mostBytes(count)
        + CodedStream.mostBytes(Planes.maskBytes(count));
  }

  /**
   * A coded part.
   *
   * @param bytes from position 0 to the limit; the caller's
   * @param maskBytes how many of them are of masks
   */
  public record Part(ByteBuffer bytes, int maskBytes) {}

  /**
   * Codes the part that remains in the buffer, in whole units.
   *
   * @throws IllegalArgumentException when it has symbols that the tensor did not have when it was
   *     counted
   */
  public Part encode(ByteBuffer part) {
    int count = (int) elements.elements(part.remaining());
    ByteBuffer coded =
        ByteBuffer.allocate(Math.toIntExact(mostBytes(elements, part.remaining())))
            .order(ByteOrder.LITTLE_ENDIAN);
    if (!planes.split(part)) {
      throw new IllegalArgumentException("The part does not come back from its elements");
    }
    int kept = count;
    int maskBytes = 0;
    if (masked) {
      kept = planes.fillMask(count);
      planes.dropZeros(count);
      CodedStream.write(streams.get(0), planes.mask(), Planes.maskBytes(count), coded);
      maskBytes = coded.position();
    }
    for (int plane = 0; plane < elements.planes(); plane++) {
      CodedStream.write(stream(plane), planes.symbols()[plane], kept, coded);
    }
    return new Part(coded.flip(), maskBytes);
  }

  /**
   * Decodes what {@link #encode} made.
   *
   * @param coded a whole part, little-endian, in an array
   * @param into is filled from its position to its limit: the part's bytes, in whole units
   * @throws DamagedStreamException when it is no part of this tensor
   */
  public void decode(ByteBuffer coded, ByteBuffer into) {
    int count = (int) elements.elements(into.remaining());
    ByteBuffer from = coded.slice().order(ByteOrder.LITTLE_ENDIAN);
    int kept = count;
    if (masked) {
      CodedStream.read(streams.get(0), from, Planes.maskBytes(count)).decode(planes.mask());
      kept = planes.kept(count);
    }
    for (int plane = 0; plane < elements.planes(); plane++) {
      CodedStream.read(stream(plane), from, kept).decode(planes.symbols()[plane]);
    }
    if (from.hasRemaining()) {
      throw new DamagedStreamException("a part is too long");
    }
    if (masked) {
      planes.restoreZeros(count, kept);
    }
    planes.join(into);
    into.position(into.limit());
  }

  private StreamCoding stream(int plane) {
    return streams.get(plane + (masked ? 1 : 0));
  }
}
