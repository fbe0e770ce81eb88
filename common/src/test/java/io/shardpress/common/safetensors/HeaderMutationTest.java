package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damaged files end in a valid header or in one typed error, never in anything else. */
class HeaderMutationTest {
  private static final int FILES = Integer.getInteger("shardpress.mutations", 20_000);
  private static final long SEED = Long.getLong("shardpress.seed", 20260101L);

  @Test
  void damageIsRefusedWithATypedErrorOrHarmless() {
    Map<Code, Integer> refusals = new EnumMap<>(Code.class);
    int accepted = 0;
    for (int i = 0; i < FILES; i++) {
      long seed = SEED + i;
      byte[] file = new HeaderMutator(new Random(seed)).file();
      try {
        assertSound(seed, SafetensorsBytes.header(file), file.length);
        accepted++;
      } catch (CheckpointFormatException e) {
        refusals.merge(e.code(), 1, Integer::sum);
      } catch (RuntimeException | Error e) {
        fail("Seed " + seed + " ended in " + e, e);
      }
    }
    assertThat(accepted).as("accepted of %d, refusals %s", FILES, refusals).isPositive();
    assertThat(refusals.keySet())
        .as("every rule was broken at least once; seed %d", SEED)
        .contains(
            Code.HEADER_TOO_SMALL,
            Code.HEADER_TOO_LARGE,
            Code.INVALID_HEADER_LENGTH,
            Code.INVALID_HEADER,
            Code.INVALID_HEADER_DESERIALIZATION,
            Code.DUPLICATE_KEY,
            Code.INVALID_OFFSET,
            Code.VALIDATION_OVERFLOW,
            Code.MISALIGNED_SLICE,
            Code.TENSOR_INVALID_INFO,
            Code.METADATA_INCOMPLETE_BUFFER);
  }

  /** The entries tile the file from the header to its end. */
  private static void assertSound(long seed, SafetensorsHeader header, long fileLength) {
    long position = header.tensors().isEmpty() ? fileLength : -1;
    for (Entry entry : header.tensors().values()) {
      if ((position >= 0 && entry.begin() != position)
          || entry.begin() < 10
          || entry.end() - entry.begin() != entry.spec().bytes()) {
        fail("Seed " + seed + " was accepted with " + header);
      }
      position = entry.end();
    }
    assertThat(position).as("seed %d", seed).isEqualTo(fileLength);
  }
}
