package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.storage.SeekableInput;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A lying header costs nothing before it is found out. */
class HeaderMemoryTest {
  private static final long LIMIT = 64 << 10;

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "7, 0",
    "8, 0",
    "8, 1",
    "8, 9",
    "4096, 0",
    "4096, 7",
    "4096, 4089",
    "4096, 4097",
    "4096, 100000000",
    "4096, 100000001",
    "4096, 2147483647",
    "4096, 2147483648",
    "4096, 4294967295",
    "4096, 4294967296",
    "4096, 9223372036854775807",
    "4096, -9223372036854775808",
    "4096, -1",
    "9223372036854775807, 100000001",
    "9223372036854775807, 2147483648",
    "9223372036854775807, -1"
  })
  void sizesAreCheckedBeforeMemoryIsTaken(long fileLength, long headerLength) {
    assertThatThrownBy(() -> read(fileLength, headerLength)) // once for the classes to load
        .isInstanceOf(CheckpointFormatException.class);

    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    boolean refused = false;
    try {
      read(fileLength, headerLength);
    } catch (CheckpointFormatException e) {
      refused = true;
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;

    assertThat(refused).isTrue();
    assertThat(allocated).isBetween(1L, LIMIT);
  }

  @Test
  void readsNothingBeyondTheDeclaredHeader() {
    byte[] file = SafetensorsBytes.file("{}", 0);
    assertThat(SafetensorsBytes.header(file).tensors()).isEmpty();
  }

  private static SafetensorsHeader read(long fileLength, long headerLength) {
    return SafetensorsHeader.read("file", new Liar(fileLength, headerLength));
  }

  /** A file that has any length, and a first word, but at most a handful of bytes to read. */
  private record Liar(long length, long firstWord) implements SeekableInput {
    @Override
    public void read(long offset, ByteBuffer into) {
      if (offset == 8 && into.remaining() == firstWord && firstWord < 8) {
        into.position(into.limit());
        return;
      }
      if (offset != 0 || into.remaining() != 8) {
        throw new AssertionError("Read of " + into.remaining() + " bytes at " + offset);
      }
      into.putLong(firstWord);
    }

    @Override
    public void close() {}
  }
}
