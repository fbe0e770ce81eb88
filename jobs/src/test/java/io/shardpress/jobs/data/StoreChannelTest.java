package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreChannelTest {
  @TempDir Path folder;

  @Test
  void readsOfAnySizeAtAnyPlaceGiveTheBytesOfTheFile() throws IOException {
    long seed = 20;
    Random random = new Random(seed);
    byte[] bytes = new byte[3_000_000];
    random.nextBytes(bytes);
    Path file = Files.write(folder.resolve("f"), bytes);
    try (StoreChannel channel = new StoreChannel(Given.store(), Given.at(file))) {
      assertThat(channel.size()).isEqualTo(bytes.length);
      for (int i = 0; i < 300; i++) {
        int position = random.nextInt(bytes.length);
        int size = random.nextBoolean() ? random.nextInt(5000) : random.nextInt(2_000_000);
        size = Math.min(size, bytes.length - position);
        ByteBuffer into = ByteBuffer.allocate(size + 7).position(3).limit(3 + size);
        channel.position(position);
        while (into.hasRemaining()) {
          assertThat(channel.read(into)).isPositive();
        }
        assertThat(Arrays.equals(into.array(), 3, 3 + size, bytes, position, position + size))
            .as("seed %d, %d bytes at %d", seed, size, position)
            .isTrue();
        assertThat(channel.position()).isEqualTo(position + size);
      }
    }
  }

  @Test
  void theEndIsTold() throws IOException {
    Path file = Files.writeString(folder.resolve("f"), "ab");
    try (StoreChannel channel = new StoreChannel(Given.store(), Given.at(file))) {
      assertThat(channel.read(ByteBuffer.allocate(5))).isEqualTo(2);
      assertThat(channel.read(ByteBuffer.allocate(5))).isEqualTo(-1);
    }
  }

  @Test
  void anEmptyFileIsAllEnd() throws IOException {
    Path file = Files.writeString(folder.resolve("f"), "");
    try (StoreChannel channel = new StoreChannel(Given.store(), Given.at(file))) {
      assertThat(channel.read(ByteBuffer.allocate(5))).isEqualTo(-1);
    }
  }
}
