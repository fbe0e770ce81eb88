package io.shardpress.jobs.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Sha256Test {
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  private static final String NOTHING =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

  @Test
  void isTheDigestOfTheStandard() {
    assertThat(Sha256.of("abc")).isEqualTo(ABC);
    assertThat(Sha256.of(new byte[0])).isEqualTo(NOTHING);
  }

  @Test
  void addsPartsAndStartsAnew() {
    Sha256 hash = new Sha256();
    hash.add(ByteBuffer.wrap("a".getBytes(StandardCharsets.UTF_8)));
    hash.add(ByteBuffer.wrap("xbcx".getBytes(StandardCharsets.UTF_8), 1, 2));
    assertThat(hash.hex()).isEqualTo(ABC);
    assertThat(hash.hex()).isEqualTo(NOTHING);
  }

  @Test
  void listensToAStream() throws IOException {
    Sha256 hash = new Sha256();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream tee = hash.tee(out)) {
      tee.write("abc".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(hash.hex()).isEqualTo(ABC);
    assertThat(out).hasToString("abc");
  }
}
