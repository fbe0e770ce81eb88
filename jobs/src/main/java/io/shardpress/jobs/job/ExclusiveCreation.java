package io.shardpress.jobs.job;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** Finds out whether a store lets only one of two writers create a file. */
final class ExclusiveCreation {
  private ExclusiveCreation() {}

  /** Creates {@code probe} twice at once, and leaves it there. */
  static boolean isHadBy(Store store, Location probe) {
    OutputStream first = store.create(probe);
    try {
      // Object stores decide at close; both writers have begun by then.
      OutputStream second = store.create(probe);
      end(first);
      end(second);
      return false;
    } catch (DestinationException e) {
      return true;
    } finally {
      end(first);
    }
  }

  private static void end(OutputStream out) {
    try {
      out.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
