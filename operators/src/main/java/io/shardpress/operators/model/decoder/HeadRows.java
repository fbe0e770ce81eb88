package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.RowLoops;
import java.util.Optional;

/** What happens to one head's query or key at one position: norm, rotation, scale. */
record HeadRows(Optional<Norm> norm, Optional<RotaryTable> rotary, float scale) {

  void apply(float[] values, int from, int headSize, int position) {
    norm.ifPresent(present -> present.apply(values, from));
    rotary.ifPresent(present -> present.rotate(values, from, position));
    if (scale != 1f) {
      RowLoops.scale(values, from, headSize, scale);
    }
  }
}
