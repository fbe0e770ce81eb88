package io.shardpress.jobs.assemble;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** One weight file of the published checkpoint, under its final name. */
public record OutputShard(String fileName, List<OutputTensor> tensors) implements Serializable {
  public OutputShard {
    tensors = List.copyOf(tensors);
  }

  /** Bytes of tensor data, without the header. */
  public long bytes() {
    return tensors.stream().mapToLong(tensor -> tensor.spec().bytes()).sum();
  }

  /**
   * Cuts tensors, in the order given, into files of at most {@code maxBytes} of data; a larger
   * tensor gets a file of its own. One file is called {@code model.safetensors}, several carry
   * their number and count.
   */
  public static List<OutputShard> plan(List<OutputTensor> tensors, long maxBytes) {
    List<List<OutputTensor>> files = new ArrayList<>();
    long room = 0;
    for (OutputTensor tensor : tensors) {
      if (files.isEmpty() || tensor.spec().bytes() > room) {
        files.add(new ArrayList<>());
        room = maxBytes;
      }
      files.get(files.size() - 1).add(tensor);
      room -= tensor.spec().bytes();
    }
    List<OutputShard> shards = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      String name =
          files.size() == 1
              ? "model.safetensors"
              : "model-%05d-of-%05d.safetensors".formatted(i + 1, files.size());
      shards.add(new OutputShard(name, files.get(i)));
    }
    return List.copyOf(shards);
  }
}
