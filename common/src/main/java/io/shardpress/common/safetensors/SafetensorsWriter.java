package io.shardpress.common.safetensors;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.Discardable;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/**
 * Streams the tensors of a {@link SafetensorsLayout} to a file, in the layout's order; a tensor may
 * come in parts. Another tensor than the next one, or more or fewer bytes than it needs, is an
 * {@link IllegalArgumentException} or {@link IllegalStateException}: a bug of the caller.
 *
 * <p>Owns the stream and closes it. Only {@link #finish} makes the file whole.
 */
public final class SafetensorsWriter implements AutoCloseable {
  private static final int PIECE = 1 << 16;

  private final OutputStream out;
  private final SafetensorsLayout layout;
  private int next;
  private long written;
  private boolean finished;

  /** Begins the file with its header. */
  public SafetensorsWriter(OutputStream out, SafetensorsLayout layout) {
    this.out = out;
    this.layout = layout;
    emit(ByteBuffer.wrap(layout.headerBytes()));
    skipEmpty();
  }

  /** Writes a whole tensor. */
  public void write(RawTensor tensor) {
    if (written != 0) {
      throw new IllegalStateException(
          "Tensor " + expected() + " is incomplete: " + written + " bytes");
    }
    if (tensor.spec().bytes() == 0 && layout.specs().contains(tensor.spec())) {
      return; // it takes no room, and its turn has passed
    }
    write(tensor.spec(), tensor.data());
  }

  /** Writes the next bytes of a tensor, from the buffer's position to its limit. */
  public void write(TensorSpec tensor, ByteBuffer part) {
    if (next == layout.specs().size() || !tensor.equals(layout.specs().get(next))) {
      throw new IllegalArgumentException(tensor + " was given, but the next is " + expected());
    }
    if (part.remaining() > tensor.bytes() - written) {
      throw new IllegalArgumentException(
          "%s has %d bytes; %d were written and %d more given"
              .formatted(tensor, tensor.bytes(), written, part.remaining()));
    }
    written += part.remaining();
    emit(part);
    if (written == tensor.bytes()) {
      written = 0;
      next++;
      skipEmpty();
    }
  }

  /** Ends the complete file and closes it. */
  public void finish() {
    if (next < layout.specs().size()) {
      throw new IllegalStateException("The file is incomplete: the next tensor is " + expected());
    }
    finished = true;
    close();
  }

  /** Closes the file; one that is not finished is given up where the storage can do that. */
  @Override
  public void close() {
    if (!finished && out instanceof Discardable unfinished) {
      unfinished.discard();
      return;
    }
    try {
      out.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private String expected() {
    return next == layout.specs().size() ? "the end" : layout.specs().get(next).toString();
  }

  private void skipEmpty() {
    while (next < layout.specs().size() && layout.specs().get(next).bytes() == 0) {
      next++;
    }
  }

  private void emit(ByteBuffer bytes) {
    try {
      if (bytes.hasArray()) {
        out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
        bytes.position(bytes.limit());
      } else {
        emitInPieces(bytes);
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private void emitInPieces(ByteBuffer bytes) throws IOException {
    byte[] piece = new byte[Math.min(PIECE, bytes.remaining())];
    while (bytes.hasRemaining()) {
      int count = Math.min(piece.length, bytes.remaining());
      bytes.get(piece, 0, count);
      out.write(piece, 0, count);
    }
  }

  private static DestinationException failed(IOException e) {
    return new DestinationException(
        "Cannot write a safetensors file: " + e.getMessage() + ". Check the destination.", e);
  }
}
