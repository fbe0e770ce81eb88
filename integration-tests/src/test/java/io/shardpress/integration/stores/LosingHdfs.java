package io.shardpress.integration.stores;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.DistributedFileSystem;

/** HDFS as Hadoop makes it, with something that happens once, between two files of a run. */
public final class LosingHdfs extends DistributedFileSystem {
  private static final AtomicInteger LEFT = new AtomicInteger();
  private static volatile Runnable event = () -> {};

  /** What happens when so many files were asked for. Hadoop makes this object, not the test. */
  static void onCreation(int number, Runnable what) {
    LEFT.set(number);
    event = what;
  }

  @Override
  public HdfsDataOutputStreamBuilder createFile(Path path) {
    if (LEFT.decrementAndGet() == 0) {
      event.run();
    }
    return super.createFile(path);
  }
}
