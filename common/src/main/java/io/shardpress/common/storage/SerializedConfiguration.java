package io.shardpress.common.storage;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;

/** A Hadoop configuration that survives Java serialization, with all that was loaded into it. */
final class SerializedConfiguration implements Serializable {
  private static final long serialVersionUID = 1L;

  private transient Configuration value;

  SerializedConfiguration(Configuration value) {
    this.value = new Configuration(value);
  }

  Configuration value() {
    return value;
  }

  private void writeObject(ObjectOutputStream out) throws IOException {
    out.defaultWriteObject();
    value.write(out);
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    value = new Configuration(false);
    value.readFields(in);
  }
}
