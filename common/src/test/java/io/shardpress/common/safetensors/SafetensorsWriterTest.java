package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.Discardable;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SafetensorsWriterTest {
  private static final TensorSpec A = TensorSpec.of("a", DType.F32, 2);
  private static final TensorSpec B = TensorSpec.of("b", DType.F32, 0);
  private static final TensorSpec C = TensorSpec.of("c", DType.U8, 3);
  private static final SafetensorsLayout LAYOUT = SafetensorsLayout.of(List.of(C, B, A));

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  @Test
  void writesAFileThatReadsBack() {
    try (SafetensorsWriter writer = new SafetensorsWriter(out, LAYOUT)) {
      writer.write(tensor(A));
      writer.write(tensor(B));
      writer.write(tensor(C));
      writer.finish();
    }
    byte[] file = out.toByteArray();

    assertThat(file).hasSize((int) LAYOUT.totalLength());
    SafetensorsFile read =
        SafetensorsFile.read(SafetensorsBytes.store(file), SafetensorsBytes.FILE);
    assertThat(read.header()).isEqualTo(LAYOUT.header());
    for (TensorSpec spec : LAYOUT.specs()) {
      assertThat(read.tensor(spec.name())).isEqualTo(tensor(spec));
    }
  }

  @Test
  void takesATensorInParts() {
    try (SafetensorsWriter writer = new SafetensorsWriter(out, LAYOUT)) {
      writer.write(A, ByteBuffer.wrap(new byte[] {0, 1, 2}));
      writer.write(A, ByteBuffer.allocate(0));
      writer.write(A, ByteBuffer.wrap(new byte[] {3, 4, 5, 6, 7}));
      writer.write(C, ByteBuffer.wrap(new byte[] {0, 1, 2}));
      writer.finish();
    }
    SafetensorsFile read =
        SafetensorsFile.read(SafetensorsBytes.store(out.toByteArray()), SafetensorsBytes.FILE);
    assertThat(read.tensor("a")).isEqualTo(tensor(A));
  }

  @Test
  void refusesAnotherTensorThanTheNext() {
    SafetensorsWriter writer = new SafetensorsWriter(out, LAYOUT);

    assertThatThrownBy(() -> writer.write(tensor(C)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("name=c")
        .hasMessageContaining("the next is TensorSpec[name=a");
    assertThatThrownBy(() -> writer.write(tensor(TensorSpec.of("a", DType.F32, 1, 2))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.write(tensor(TensorSpec.of("unknown", DType.F32, 0))))
        .isInstanceOf(IllegalArgumentException.class);
    writer.write(A, ByteBuffer.allocate(7));
    assertThatThrownBy(() -> writer.write(A, ByteBuffer.allocate(2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has 8 bytes; 7 were written and 2 more given");
    assertThatThrownBy(() -> writer.write(tensor(A)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("incomplete");
    writer.write(A, ByteBuffer.allocate(1));
    writer.write(tensor(C));
    assertThatThrownBy(() -> writer.write(tensor(C)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the next is the end");
  }

  @Test
  void doesNotFinishAnIncompleteFile() {
    SafetensorsWriter writer = new SafetensorsWriter(out, LAYOUT);
    writer.write(tensor(A));

    assertThatThrownBy(writer::finish)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the next tensor is TensorSpec[name=c");
  }

  @Test
  void reportsAFailingDestination() {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("No space left on device");
          }
        };

    assertThatThrownBy(() -> new SafetensorsWriter(full, LAYOUT))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("No space left");
  }

  private static RawTensor tensor(TensorSpec spec) {
    byte[] bytes = new byte[(int) spec.bytes()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    return new RawTensor(spec, ByteBuffer.wrap(bytes));
  }

  @Test
  void givesUpAFileThatWasNotFinished() {
    List<String> ends = new ArrayList<>();
    class Upload extends ByteArrayOutputStream implements Discardable {
      @Override
      public void close() {
        ends.add("published");
      }

      @Override
      public void discard() {
        ends.add("discarded");
      }
    }
    SafetensorsLayout layout = SafetensorsLayout.of(List.of(TensorSpec.of("a", DType.I8, 2)));

    new SafetensorsWriter(new Upload(), layout).close();
    try (SafetensorsWriter whole = new SafetensorsWriter(new Upload(), layout)) {
      whole.write(TensorSpec.of("a", DType.I8, 2), ByteBuffer.allocate(2));
      whole.finish();
    }

    assertThat(ends).startsWith("discarded").doesNotContainSubsequence("published", "discarded");
    assertThat(ends).contains("published");
  }
}
