package io.shardpress.common.storage;

import io.shardpress.common.error.InputException;
import java.io.Serializable;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a file or folder lies: an absolute URI such as {@code s3a://bucket/models/a}, {@code
 * hdfs://namenode/models/a} or {@code file:///models/a}, written as people write it (nothing is
 * percent-encoded). A plain path is a local one and is made absolute.
 *
 * <p>Equal places have equal text: slashes are single, none trails, local {@code .} and {@code ..}
 * are resolved. A location that cannot be one is an {@link InputException}.
 *
 * @param uri {@code scheme://authority/path}
 */
public record Location(String uri) implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Two letters at least: one letter would be a drive. */
  private static final Pattern URI =
      Pattern.compile("(?<scheme>[A-Za-z][A-Za-z0-9+.-]+):(//(?<authority>[^/]*))?(?<path>(/.*)?)");

  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]+:.*");

  public Location {
    if (uri.isBlank() || uri.chars().anyMatch(Character::isISOControl)) {
      throw new InputException(
          "A location must be a path or URI without control characters, not '"
              + uri.replaceAll("\\p{Cntrl}", "?")
              + "'. Write something like /models/a or s3a://bucket/models/a.");
    }
    uri = SCHEME.matcher(uri).matches() ? normalized(uri) : localUri(uri);
  }

  /** The location that {@code text}, a URI or a local path, names. */
  public static Location of(String text) {
    return new Location(text);
  }

  /** The file or folder called {@code name} in this folder; a single name, not a path. */
  public Location child(String name) {
    if (name.isBlank() || name.contains("/") || name.equals(".") || name.equals("..")) {
      throw new IllegalArgumentException("'" + name + "' is not a file name (in " + uri + ")");
    }
    return new Location(uri.endsWith("/") ? uri + name : uri + "/" + name);
  }

  /** The folder that holds this; {@link InputException} at the top. */
  public Location parent() {
    String path = path();
    if (path.equals("/")) {
      throw new InputException(uri + " is the top of its file system and lies in no folder.");
    }
    String top = uri.substring(0, uri.length() - path.length());
    return new Location(top + path.substring(0, Math.max(1, path.lastIndexOf('/'))));
  }

  /** The last part of the path; empty for the top of a file system. */
  public String name() {
    return uri.substring(uri.lastIndexOf('/') + 1);
  }

  /** {@code file}, {@code hdfs}, {@code s3a}, … */
  public String scheme() {
    return uri.substring(0, uri.indexOf(':'));
  }

  /** The path within the file system, from {@code /} on. */
  public String path() {
    return uri.substring(uri.indexOf('/', scheme().length() + "://".length()));
  }

  /** Whether this is {@code folder} or lies below it. */
  public boolean isWithin(Location folder) {
    String prefix = folder.uri.endsWith("/") ? folder.uri : folder.uri + "/";
    return equals(folder) || uri.startsWith(prefix);
  }

  /** The URI. */
  @Override
  public String toString() {
    return uri;
  }

  private static String localUri(String path) {
    try {
      String absolute = Path.of(path).toAbsolutePath().normalize().toString().replace('\\', '/');
      return "file://" + (absolute.startsWith("/") ? absolute : "/" + absolute);
    } catch (InvalidPathException e) {
      throw new InputException(
          "'" + path + "' is not a local path: " + e.getReason() + ". Correct it.", e);
    }
  }

  private static String normalized(String uri) {
    Matcher parts = URI.matcher(uri);
    if (!parts.matches()) {
      throw new InputException(
          "'%s' is neither a URI with an absolute path nor a local path. Write scheme://host/path, or ./%s for a local file."
              .formatted(uri, uri));
    }
    String scheme = parts.group("scheme").toLowerCase(java.util.Locale.ROOT);
    String authority = parts.group("authority") == null ? "" : parts.group("authority");
    if (scheme.equals("file")) {
      if (!authority.isEmpty() && !authority.equals("localhost")) {
        throw new InputException(
            "'%s' names the host '%s', but file: locations are local. Write file:///path."
                .formatted(uri, authority));
      }
      return localUri(parts.group("path").isEmpty() ? "/" : parts.group("path"));
    }
    int at = authority.indexOf('@');
    if (at > 0 && authority.substring(0, at).contains(":")) {
      throw new InputException(
          "A location of scheme %s holds a password. Remove it, and configure the credentials of the file system instead."
              .formatted(scheme));
    }
    String path = parts.group("path").replaceAll("/+", "/");
    path = path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    if ((path + "/").contains("/../") || (path + "/").contains("/./")) {
      throw new InputException(
          "'%s' holds a '.' or '..' segment. Write the location it leads to.".formatted(uri));
    }
    return scheme + "://" + authority + (path.isEmpty() ? "/" : path);
  }
}
