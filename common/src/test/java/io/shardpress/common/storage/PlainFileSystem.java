package io.shardpress.common.storage;

import java.net.URI;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** Local files under the scheme {@code plain}, so that Hadoop's own code path is taken. */
public final class PlainFileSystem extends RawLocalFileSystem {
  static final URI PLAIN = URI.create("plain:///");

  @Override
  public URI getUri() {
    return PLAIN;
  }

  @Override
  protected void checkPath(Path path) {
    String scheme = path.toUri().getScheme();
    if (scheme != null && !scheme.equals("plain")) {
      throw new IllegalArgumentException("Not mine: " + path);
    }
  }

  @Override
  public String getScheme() {
    return "plain";
  }
}
