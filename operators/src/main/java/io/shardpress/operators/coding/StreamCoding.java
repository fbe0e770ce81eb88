package io.shardpress.operators.coding;

import java.nio.ByteBuffer;

/** How the symbols of one stream of a tensor are stored, in all of its parts alike. */
sealed interface StreamCoding {

  /** Bytes that {@link #write} takes. */
  int headBytes();

  /** Puts down what {@link #read} needs to know. */
  void write(ByteBuffer into);

  /** About the bytes that all symbols will take, without the head. */
  double bytes(SymbolCounts counts);

  /** As they are. */
  record Raw() implements StreamCoding {
    static final int TAG = 0;

    @Override
    public int headBytes() {
      return 1;
    }

    @Override
    public void write(ByteBuffer into) {
      into.put((byte) TAG);
    }

    @Override
    public double bytes(SymbolCounts counts) {
      return counts.total();
    }
  }

  /** One symbol throughout: nothing but their number. */
  record Constant(byte symbol) implements StreamCoding {
    static final int TAG = 1;

    @Override
    public int headBytes() {
      return 2;
    }

    @Override
    public void write(ByteBuffer into) {
      into.put((byte) TAG).put(symbol);
    }

    @Override
    public double bytes(SymbolCounts counts) {
      return 0;
    }
  }

  /** In chunks of rANS. */
  record Coded(RansTable table) implements StreamCoding {
    static final int TAG = 2;

    @Override
    public int headBytes() {
      return 1 + table.bytes();
    }

    @Override
    public void write(ByteBuffer into) {
      into.put((byte) TAG);
      table.write(into);
    }

    @Override
    public double bytes(SymbolCounts counts) {
      double chunks = Math.ceil(counts.total() / (double) CodedStream.CHUNK);
      return counts.bits() / 8 + chunks * (Integer.BYTES + Rans.mostBytes(0));
    }
  }

  /** The smallest for a stream of such symbols. */
  static StreamCoding choose(SymbolCounts counts) {
    long total = counts.total();
    for (int symbol = 0; symbol < SymbolCounts.SYMBOLS; symbol++) {
      if (counts.of(symbol) == total) { // also of no symbols at all
        return new Constant((byte) symbol);
      }
    }
    Coded coded = new Coded(RansTable.of(counts));
    return coded.headBytes() + coded.bytes(counts) < total ? coded : new Raw();
  }

  /** Reads what {@link #write} wrote. */
  static StreamCoding read(ByteBuffer from) {
    int tag = next(from);
    return switch (tag) {
      case Raw.TAG -> new Raw();
      case Constant.TAG -> new Constant(next(from));
      case Coded.TAG -> new Coded(RansTable.read(from));
      default -> throw new DamagedStreamException("a stream is of the unknown coding " + tag);
    };
  }

  private static byte next(ByteBuffer from) {
    if (!from.hasRemaining()) {
      throw new DamagedStreamException("the head of a stream is cut short");
    }
    return from.get();
  }
}
