package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class RoundTripTest {

  @Property(tries = 300)
  void whatIsWrittenIsRead(
      @ForAll("tensors") List<TensorSpec> tensors,
      @ForAll("metadata") Map<String, String> metadata,
      @ForAll long seed) {
    Map<String, RawTensor> contents = new LinkedHashMap<>();
    Random random = new Random(seed);
    for (TensorSpec spec : tensors) {
      byte[] bytes = new byte[(int) spec.bytes()];
      random.nextBytes(bytes);
      contents.put(spec.name(), new RawTensor(spec, ByteBuffer.wrap(bytes)));
    }
    byte[] file = write(tensors, metadata, contents);

    SafetensorsFile read =
        SafetensorsFile.read(SafetensorsBytes.store(file), SafetensorsBytes.FILE);
    assertThat(read.header().tensors().keySet()).isEqualTo(contents.keySet());
    contents.forEach((name, tensor) -> assertThat(read.tensor(name)).isEqualTo(tensor));
    assertThat(read.header().metadata()).containsAllEntriesOf(metadata).containsKey("format");

    List<TensorSpec> shuffled = new ArrayList<>(tensors);
    Collections.shuffle(shuffled, random);
    assertThat(write(shuffled, metadata, contents)).isEqualTo(file);
  }

  private static byte[] write(
      List<TensorSpec> tensors, Map<String, String> metadata, Map<String, RawTensor> contents) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SafetensorsLayout layout = SafetensorsLayout.of(tensors, metadata);
    try (SafetensorsWriter writer = new SafetensorsWriter(out, layout)) {
      layout.specs().forEach(spec -> writer.write(contents.get(spec.name())));
      writer.finish();
    }
    return out.toByteArray();
  }

  @Provide
  Arbitrary<List<TensorSpec>> tensors() {
    Arbitrary<List<Long>> shapes = Arbitraries.longs().between(0, 9).list().ofMaxSize(3);
    return Combinators.combine(texts(), Arbitraries.of(DType.class), shapes)
        .as(TensorSpec::new)
        .filter(spec -> spec.elements() * spec.dtype().bits() % 8 == 0)
        .list()
        .ofMaxSize(12)
        .uniqueElements(TensorSpec::name);
  }

  @Provide
  Arbitrary<Map<String, String>> metadata() {
    return Arbitraries.maps(texts(), texts()).ofMaxSize(4);
  }

  /** Any text that UTF-8 can hold. */
  private static Arbitrary<String> texts() {
    return Arbitraries.strings()
        .all()
        .ofMaxLength(12)
        .filter(
            text -> text.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE));
  }
}
