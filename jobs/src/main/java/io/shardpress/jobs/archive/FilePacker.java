package io.shardpress.jobs.archive;

import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.safetensors.SafetensorsHeader;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.operators.coding.Elements;
import io.shardpress.operators.coding.SymbolCounts;
import io.shardpress.operators.coding.TensorCoding;
import io.shardpress.operators.coding.TensorStatistics;
import io.shardpress.operators.coding.TensorStatistics.Choice;
import io.shardpress.operators.encoding.QuantizationConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;

/**
 * Codes one file, from its first byte to its last, a part at a time; tensors are read twice, to be
 * counted and to be coded.
 */
final class FilePacker {
  private final String source;
  private final SeekableInput input;
  private final CodedFileWriter writer;
  private final Sha256 hash = new Sha256();
  private Figures figures = Figures.NONE;

  /** The bytes from here on wait to be coded with what follows. */
  private long pendingFrom;

  private TensorForm pending = TensorForm.OTHER;

  /**
   * @param source names the input in messages
   * @param out stays open
   */
  FilePacker(String source, SeekableInput input, OutputStream out) throws IOException {
    this.source = source;
    this.input = input;
    this.writer = new CodedFileWriter(out);
  }

  /**
   * What was read and written.
   *
   * @param sha256 of the bytes read
   * @param codedBytes written
   */
  record Packed(String sha256, long codedBytes, Figures figures) {}

  /** Codes a file whose bytes mean nothing to us. */
  Packed plain() throws IOException {
    return finish();
  }

  /** Codes a safetensors file; its tensors follow one another without gaps. */
  Packed tensors(SafetensorsFile file, Optional<QuantizationConfig> schemes) throws IOException {
    for (SafetensorsHeader.Entry entry : file.header().tensors().values()) {
      TensorForm form = TensorForm.of(entry.spec(), schemes, file);
      Optional<Choice> choice = form.elements().flatMap(elements -> choose(elements, entry));
      if (choice.isPresent()) {
        flush(entry.begin());
        code(entry, form, choice.get());
        pendingFrom = entry.end();
      } else if (!form.isLike(pending)) {
        flush(entry.begin());
        pending = form;
      }
    }
    return finish();
  }

  private Packed finish() throws IOException {
    flush(input.length());
    long before = figures.total().archiveBytes();
    long bytes = writer.finish();
    figures = figures.plus(Kind.OTHER, new Figure(0, bytes - before, 0));
    return new Packed(hash.hex(), bytes, figures);
  }

  private Optional<Choice> choose(Elements elements, SafetensorsHeader.Entry entry) {
    long bytes = entry.end() - entry.begin();
    if (bytes == 0) {
      return Optional.empty();
    }
    TensorStatistics statistics = new TensorStatistics(elements, bytes);
    for (long at = entry.begin(); at < entry.end(); at += elements.partBytes()) {
      statistics.add(read(at, Math.min(elements.partBytes(), entry.end() - at)));
    }
    return statistics.choose();
  }

  private void code(SafetensorsHeader.Entry entry, TensorForm form, Choice choice)
      throws IOException {
    Elements elements = form.elements().orElseThrow();
    ByteBuffer head = choice.coding().head();
    int headBytes = head.remaining();
    long maskBytes = choice.coding().maskHeadBytes();
    long valueBytes = headBytes - maskBytes;
    writer.head(head);
    for (long at = entry.begin(); at < entry.end(); at += elements.partBytes()) {
      TensorCoding.Part part =
          encode(choice.coding(), hashed(at, Math.min(elements.partBytes(), entry.end() - at)));
      maskBytes += part.maskBytes();
      valueBytes += part.bytes().remaining() - part.maskBytes();
      writer.part(part.bytes());
    }
    long bytes = entry.end() - entry.begin();
    writer.end(entry.spec().name(), form.elements(), bytes, headBytes);
    boolean codes = form.kind() == Kind.CODES;
    figures =
        figures
            .plus(form.kind(), new Figure(bytes, valueBytes, choice.valueBits() / 8))
            .plus(Kind.MASKS, new Figure(0, maskBytes, choice.maskBits() / 8))
            .plus(
                new Figures(
                    Map.of(),
                    codes ? elements.elements(bytes) : 0,
                    codes ? maskBytes + valueBytes : 0,
                    form.ofLinear() ? maskBytes + valueBytes : 0));
  }

  private TensorCoding.Part encode(TensorCoding coding, ByteBuffer part) {
    try {
      return coding.encode(part);
    } catch (IllegalArgumentException e) { // a symbol that was not there a moment ago
      throw new InputException(
          "%s was changed while it was archived. Let nobody write to the checkpoint, and start again."
              .formatted(source),
          e);
    }
  }

  /** Codes what waits before {@code to} as bytes. */
  private void flush(long to) throws IOException {
    if (pendingFrom < to) {
      SymbolCounts counts = new SymbolCounts();
      long coded = 0;
      for (long at = pendingFrom; at < to; at += Blocks.BYTES) {
        ByteBuffer block = hashed(at, Math.min(Blocks.BYTES, to - at));
        counts.add(block);
        ByteBuffer shorter = Blocks.encode(block);
        coded += shorter.remaining();
        writer.part(shorter);
      }
      long bytes = to - pendingFrom;
      writer.end("", Optional.empty(), bytes, 0);
      figures =
          figures
              .plus(pending.kind(), new Figure(bytes, coded, counts.bits() / 8))
              .plus(new Figures(Map.of(), 0, 0, pending.ofLinear() ? coded : 0));
    }
    pendingFrom = to;
    pending = TensorForm.OTHER;
  }

  private ByteBuffer hashed(long at, long count) {
    ByteBuffer bytes = read(at, count);
    hash.add(bytes.duplicate());
    return bytes;
  }

  private ByteBuffer read(long at, long count) {
    ByteBuffer bytes = ByteBuffer.allocate((int) count);
    input.read(at, bytes);
    return bytes.flip();
  }
}
