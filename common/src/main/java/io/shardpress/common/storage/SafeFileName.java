package io.shardpress.common.storage;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Decides whether a file name from an untrusted document may be opened: one plain name of ASCII
 * letters, digits and {@code ._+=@()~-} or a space, that starts with a letter, digit or underscore,
 * does not end in a dot or space, and has at most 255 characters.
 *
 * <p>An allow-list leaves no room for separators, {@code ..}, schemes, drives, percent escapes,
 * control characters or look-alikes of any of these, on any file system.
 */
public final class SafeFileName {
  private static final int LONGEST_SHOWN = 100;
  private static final int LONGEST_ENCODED = 180;
  private static final int LONGEST_KEPT = 100;
  private static final String HASH_FOLLOWS = "~";
  private static final Pattern SAFE =
      Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9._+=@()~ -]{0,253}[A-Za-z0-9_+=@()~-])?");

  private SafeFileName() {}

  /** Whether {@code name} may be opened. */
  public static boolean isSafe(String name) {
    return SAFE.matcher(name).matches();
  }

  /** {@code name} itself if it is safe; {@code source} says in messages where it was found. */
  public static String check(String source, String name) {
    if (isSafe(name)) {
      return name;
    }
    throw new CheckpointFormatException(
        Code.UNSAFE_FILE_NAME,
        "%s: the file name '%s' is refused: it must be one plain name in the same folder, of letters, digits and ._+=@()~- only, up to 255 characters. Do not use this file, or correct the name."
            .formatted(source, printable(name)));
  }

  /**
   * A safe file name, of at most {@value #LONGEST_ENCODED} characters, for any text from an
   * untrusted document, such as the name of a tensor: the text itself where it is safe, else its
   * safe characters and a hash. Different texts have different names.
   */
  public static String encode(String text) {
    if (text.length() <= LONGEST_ENCODED && isSafe(text) && !text.contains(HASH_FOLLOWS)) {
      return text;
    }
    String start = text.substring(0, Math.min(text.length(), LONGEST_KEPT));
    String kept = "_" + start.replaceAll("[^A-Za-z0-9._-]", "_");
    return kept + HASH_FOLLOWS + sha256(text);
  }

  /** Of the UTF-16 form, which tells apart what is no Unicode text too. */
  private static String sha256(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(utf16(text)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  private static byte[] utf16(String text) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * text.length());
    text.chars().forEach(c -> bytes.putChar((char) c));
    return bytes.array();
  }

  private static String printable(String name) {
    String start = name.length() > LONGEST_SHOWN ? name.substring(0, LONGEST_SHOWN) + "…" : name;
    return start.replaceAll("[^\\x20-\\x7E…]", "?");
  }
}
