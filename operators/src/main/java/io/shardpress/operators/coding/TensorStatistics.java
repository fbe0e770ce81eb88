package io.shardpress.operators.coding;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How often each symbol occurs in a tensor, counted part by part, and what follows for its coding.
 * Has scratch of its own: of one thread.
 */
public final class TensorStatistics {
  /** What an element that masks leave out is in every plane. */
  private static final int ZERO = 0;

  private final Elements elements;
  private final int partBytes;
  private final Planes planes;
  private final List<SymbolCounts> counts;
  private final SymbolCounts masks = new SymbolCounts();
  private long bytes;
  private long zeros;
  private boolean complete = true;

  /**
   * @param tensorBytes of the whole tensor, in whole units
   */
  public TensorStatistics(Elements elements, long tensorBytes) {
    this.elements = elements;
    this.partBytes = (int) Math.min(elements.partBytes(), tensorBytes);
    this.planes = new Planes(elements, partBytes);
    this.counts = Stream.generate(SymbolCounts::new).limit(elements.planes()).toList();
  }

  /** Counts the part that remains in the buffer, in whole units. */
  public void add(ByteBuffer part) {
    int count = (int) elements.elements(part.remaining());
    complete &= planes.split(part);
    bytes += part.remaining();
    for (int plane = 0; plane < counts.size(); plane++) {
      counts.get(plane).add(planes.symbols()[plane], 0, count);
    }
    zeros += count - planes.fillMask(count);
    masks.add(planes.mask(), 0, Planes.maskBytes(count));
  }

  /**
   * A coding, and the least that its streams could take with one table each.
   *
   * @param maskBits entropy of all masks, in bits
   * @param valueBits entropy of all planes, in bits
   */
  public record Choice(TensorCoding coding, double maskBits, double valueBits) {}

  /** The shortest coding; empty where the bytes as they are would not be longer. */
  public Optional<Choice> choose() {
    List<SymbolCounts> kept = counts.stream().map(all -> all.without(ZERO, zeros)).toList();
    List<SymbolCounts> withMasks = new ArrayList<>(List.of(masks));
    withMasks.addAll(kept);
    List<StreamCoding> direct = counts.stream().map(StreamCoding::choose).toList();
    List<StreamCoding> masked = withMasks.stream().map(StreamCoding::choose).toList();
    double directBytes = bytes(direct, counts);
    double maskedBytes = bytes(masked, withMasks);
    if (!complete || Math.min(directBytes, maskedBytes) >= bytes) {
      return Optional.empty();
    }
    return Optional.of(
        maskedBytes < directBytes
            ? new Choice(
                new TensorCoding(elements, true, masked, partBytes), masks.bits(), bits(kept))
            : new Choice(new TensorCoding(elements, false, direct, partBytes), 0, bits(counts)));
  }

  private static double bytes(List<StreamCoding> codings, List<SymbolCounts> counts) {
    double bytes = 1;
    for (int i = 0; i < codings.size(); i++) {
      bytes += codings.get(i).headBytes() + codings.get(i).bytes(counts.get(i));
    }
    return bytes;
  }

  private static double bits(List<SymbolCounts> counts) {
    return counts.stream().mapToDouble(SymbolCounts::bits).sum();
  }
}
