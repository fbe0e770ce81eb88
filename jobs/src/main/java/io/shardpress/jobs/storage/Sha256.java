package io.shardpress.jobs.storage;

import io.shardpress.common.storage.Discardable;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 as lower-case hexadecimal text. */
public final class Sha256 {
  private final MessageDigest digest = digest();

  public static String of(byte[] bytes) {
    return new Sha256().add(ByteBuffer.wrap(bytes)).hex();
  }

  public static String of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  public Sha256 add(ByteBuffer bytes) {
    digest.update(bytes);
    return this;
  }

  /** A stream that adds all that is written to {@code out}. */
  public OutputStream tee(OutputStream out) {
    return new Tee(out, digest);
  }

  private static final class Tee extends DigestOutputStream implements Discardable {
    Tee(OutputStream out, MessageDigest digest) {
      super(out, digest);
    }

    @Override
    public void discard() {
      if (out instanceof Discardable file) {
        file.discard();
      }
    }
  }

  /** The digest of all that was added; the object starts anew. */
  public String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
