package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Files that the reference writer made: read, written again, the same bytes. */
class ReferenceFilesTest {

  @TestFactory
  List<DynamicTest> rewritingReproducesTheReferenceBytes() throws IOException {
    String folder = System.getenv("SHARDPRESS_REFERENCES");
    Assumptions.assumeTrue(folder != null, "SHARDPRESS_REFERENCES is not set");
    try (Stream<Path> files = Files.walk(Path.of(folder))) {
      return files
          .filter(file -> file.toString().endsWith(".safetensors"))
          .sorted()
          .map(file -> DynamicTest.dynamicTest(file.toString(), () -> rewrite(file)))
          .toList();
    }
  }

  private static void rewrite(Path path) throws IOException {
    Store store = HadoopStore.of(new Configuration(false));
    SafetensorsFile file = SafetensorsFile.read(store, Location.of(path.toString()));
    List<TensorSpec> specs =
        file.header().tensors().values().stream().map(SafetensorsHeader.Entry::spec).toList();
    SafetensorsLayout layout = SafetensorsLayout.of(specs, file.header().metadata());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SafetensorsWriter writer = new SafetensorsWriter(out, layout)) {
      layout.specs().forEach(spec -> writer.write(file.tensor(spec.name())));
      writer.finish();
    }

    byte[] expected = Files.readAllBytes(path);
    byte[] actual = out.toByteArray();
    assertThat(layout.specs()).isEqualTo(specs);
    if (file.header().metadata().equals(Map.of("format", "pt"))) {
      assertThat(Arrays.mismatch(actual, expected)).as("first different byte").isEqualTo(-1);
    } else { // the reference keeps several metadata keys in no order
      int begin = Math.toIntExact(file.length() - dataBytes(specs));
      int start = Math.toIntExact(layout.totalLength() - dataBytes(specs));
      assertThat(Arrays.mismatch(actual, start, actual.length, expected, begin, expected.length))
          .as("first different byte of the data")
          .isEqualTo(-1);
    }
  }

  private static long dataBytes(List<TensorSpec> specs) {
    return specs.stream().mapToLong(TensorSpec::bytes).sum();
  }
}
