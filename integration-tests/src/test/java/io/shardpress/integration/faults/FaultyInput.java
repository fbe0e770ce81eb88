package io.shardpress.integration.faults;

import io.shardpress.integration.faults.Fault.Effect;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.apache.hadoop.fs.FSInputStream;

/** A local file whose every read may meet a fault. */
final class FaultyInput extends FSInputStream {
  private final Faults faults;
  private final String path;
  private final FileChannel channel;

  FaultyInput(Faults faults, Path file, IOException missing) throws IOException {
    this.faults = faults;
    this.path = file.toString();
    try {
      this.channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw missing;
    }
  }

  @Override
  public int read(long position, byte[] into, int offset, int length) throws IOException {
    Optional<Fault> fault = faults.meet(Operation.READ, path);
    if (fault.isPresent()) {
      Faults.strike(fault.get(), Operation.READ, path);
      Faults.strikeAfter(fault.get(), Operation.READ, path);
      if (fault.get().effect() == Effect.TRUNCATE) {
        return -1;
      }
    }
    return channel.read(ByteBuffer.wrap(into, offset, length), position);
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    int count = read(channel.position(), into, offset, length);
    channel.position(channel.position() + Math.max(0, count));
    return count;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public void seek(long position) throws IOException {
    if (position < 0 || position > channel.size()) {
      throw new EOFException("Position " + position + " is not in " + path);
    }
    channel.position(position);
  }

  @Override
  public long getPos() throws IOException {
    return channel.position();
  }

  @Override
  public boolean seekToNewSource(long position) {
    return false;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
