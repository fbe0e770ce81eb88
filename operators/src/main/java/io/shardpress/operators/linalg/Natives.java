package io.shardpress.operators.linalg;

import org.bytedeco.javacpp.Pointer;

/**
 * The settings of JavaCPP, which unpacks and loads native libraries and watches the memory of the
 * process. It reads them once, when it loads; what is set already stays.
 */
public final class Natives {
  /** Where native libraries are unpacked. */
  public static final String CACHE_DIRECTORY = "org.bytedeco.javacpp.cachedir";

  /** Bytes of arrays and other native memory, in use or kept for the next. */
  public static final String MAX_BYTES = "org.bytedeco.javacpp.maxbytes";

  /** Resident bytes of the whole process, Java heap included. */
  public static final String MAX_PHYSICAL_BYTES = "org.bytedeco.javacpp.maxphysicalbytes";

  private Natives() {}

  /** Has native libraries unpacked into {@code directory}. */
  public static void cacheIn(String directory) {
    setIfMissing(CACHE_DIRECTORY, directory);
  }

  /** Has arrays refused, with an {@link OutOfMemoryError}, in a process larger than this. */
  public static void limitMemory(long bytes) {
    setIfMissing(MAX_BYTES, Long.toString(bytes));
    setIfMissing(MAX_PHYSICAL_BYTES, Long.toString(bytes));
  }

  private static void setIfMissing(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** The folder asked for; where it cannot be written JavaCPP takes another. */
  public static String cacheDirectory() {
    String standard = System.getProperty("user.home") + "/.javacpp/cache";
    return System.getProperty(CACHE_DIRECTORY, standard);
  }

  /**
   * What the process may grow to before an array is refused. JavaCPP loads and reads its settings.
   */
  public static long memoryLimit() {
    return Pointer.maxPhysicalBytes();
  }
}
