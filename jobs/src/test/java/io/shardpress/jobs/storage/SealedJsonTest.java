package io.shardpress.jobs.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.OccupiedException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SealedJsonTest {
  private static final Location PLACE = Location.of("/marks/a.json");
  private final HadoopStore store = TinyCheckpoint.store();

  @TempDir private Path folder;

  @Test
  void returnsWhatWasSealed() {
    Location file = Location.of(folder.resolve("a.json").toString());
    assertThat(SealedJson.read(store, file)).isEmpty();

    SealedJson.create(store, file, content());

    assertThat(SealedJson.read(store, file)).contains(content());
  }

  @Test
  void isCreatedOnceWhateverIsSaidAgain() {
    Location file = Location.of(folder.resolve("a.json").toString());
    SealedJson.create(store, file, content());

    SealedJson.create(store, file, content()); // as a connector does whose answer was lost
    assertThatThrownBy(() -> SealedJson.create(store, file, content().put("more", 1)))
        .isInstanceOf(OccupiedException.class);
    assertThat(SealedJson.read(store, file)).contains(content());
  }

  @Test
  void doesNotCountUntilTheLastByte() {
    byte[] whole = SealedJson.seal(content());
    for (int length = 0; length < whole.length; length++) {
      assertThat(SealedJson.open(PLACE, java.util.Arrays.copyOf(whole, length))).isEmpty();
    }
  }

  @Test
  void noticesEveryFlippedBit() {
    byte[] whole = SealedJson.seal(content());
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      Optional<ObjectNode> found;
      try {
        found = SealedJson.open(PLACE, flipped);
      } catch (InputException e) {
        assertThat(e).hasMessageContaining(PLACE.toString());
        continue;
      }
      // What is not accepted as it was may only count as absent.
      assertThat(found.orElse(content())).as("bit %d", bit).isEqualTo(content());
    }
  }

  @Test
  void keepsNumbersAsTheyAre() {
    long seed = 7;
    Random random = new Random(seed);
    ObjectNode numbers = JsonNodeFactory.instance.objectNode();
    for (int i = 0; i < 1000; i++) {
      numbers.put("d" + i, Double.longBitsToDouble(random.nextLong() & 0x7fdfffffffffffffL));
      numbers.put("l" + i, random.nextLong());
    }
    assertThat(SealedJson.open(PLACE, SealedJson.seal(numbers)).orElseThrow().toString())
        .as("seed %d", seed)
        .isEqualTo(numbers.toString());
  }

  private static ObjectNode content() {
    return JsonNodeFactory.instance
        .objectNode()
        .put("module", "model.layers.0.mlp")
        .put("loss", 1.5e-7)
        .put("bytes", 1L << 40)
        .putNull("damping");
  }
}
