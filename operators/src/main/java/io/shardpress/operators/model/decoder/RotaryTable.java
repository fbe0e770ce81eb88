package io.shardpress.operators.model.decoder;

import io.shardpress.operators.model.description.RotarySpec;

/** Cosines and sines of all positions of a sequence, and the rotation of one head row by them. */
final class RotaryTable {
  private final int pairs;
  private final float[] cosines;
  private final float[] sines;

  /** Angles are rounded to F32 before the cosine, as the models were trained. */
  RotaryTable(RotarySpec rotary, int length) {
    pairs = rotary.dimensions() / 2;
    cosines = new float[length * pairs];
    sines = new float[length * pairs];
    double[] frequencies = rotary.frequencies(length);
    double factor = rotary.scaling().attentionFactor();
    for (int position = 0; position < length; position++) {
      for (int i = 0; i < pairs; i++) {
        float angle = position * (float) frequencies[i];
        cosines[position * pairs + i] = (float) (Math.cos(angle) * factor);
        sines[position * pairs + i] = (float) (Math.sin(angle) * factor);
      }
    }
  }

  /** Rotates the head that starts at {@code from}, in place. */
  void rotate(float[] values, int from, int position) {
    int table = position * pairs;
    for (int i = 0; i < pairs; i++) {
      float cosine = cosines[table + i];
      float sine = sines[table + i];
      float first = values[from + i];
      float second = values[from + pairs + i];
      values[from + i] = first * cosine - second * sine;
      values[from + pairs + i] = second * cosine + first * sine;
    }
  }
}
