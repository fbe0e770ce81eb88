package io.shardpress.integration.faults;

import io.shardpress.integration.faults.Fault.Effect;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/** A local file whose every write, and whose close, may meet a fault. */
final class FaultyOutput extends OutputStream {
  private final Faults faults;
  private final String path;
  private final OutputStream out;
  private boolean closed;

  FaultyOutput(Faults faults, String path, OutputStream out) {
    this.faults = faults;
    this.path = path;
    this.out = out;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int count) throws IOException {
    Optional<Fault> fault = faults.meet(Operation.WRITE, path);
    Effect effect = fault.map(Fault::effect).orElse(Effect.SLOW);
    boolean whole = effect == Effect.SLOW || effect == Effect.LOSE_ANSWER;
    int wanted = whole ? count : count / 2;
    int granted = faults.take(wanted);
    out.write(bytes, offset, granted);
    if (granted < wanted) {
      throw new IOException("No space left on device");
    }
    if (fault.isPresent()) {
      Faults.strike(fault.get(), Operation.WRITE, path);
      Faults.strikeAfter(fault.get(), Operation.WRITE, path);
    }
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    out.close();
    Optional<Fault> fault = faults.meet(Operation.CLOSE, path);
    if (fault.isPresent()) {
      Faults.strike(fault.get(), Operation.CLOSE, path);
      Faults.strikeAfter(fault.get(), Operation.CLOSE, path);
    }
  }
}
