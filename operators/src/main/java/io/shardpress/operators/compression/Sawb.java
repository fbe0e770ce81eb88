package io.shardpress.operators.compression;

/**
 * Statistics-aware weight binning (Choi et al., "Accurate and Efficient 2-bit Quantized Neural
 * Networks", 2019): the clip {@code α = c₁·√E[w²] + c₂·E|w|} of the grid with {@code 2^b − 1}
 * levels. The constants of 2, 4, 7 and 8 bits are those of IBM's fms-model-optimizer; those of 3, 5
 * and 6 are a least-squares fit over six densities.
 */
final class Sawb {
  private static final double[][] CONSTANTS = {
    {},
    {},
    {2.6, -1.71},
    {6.95, -6.29},
    {12.035, -12.03},
    {16.94, -17.60},
    {22.21, -23.68},
    {28.24, -30.81},
    {31.76, -35.04}
  };

  private Sawb() {}

  /**
   * @param largest the largest magnitude, which stands in for a clip that is not positive
   */
  static float clip(int bits, float[] values, int count, float largest) {
    double squares = 0;
    double magnitudes = 0;
    for (int i = 0; i < count; i++) {
      squares += (double) values[i] * values[i];
      magnitudes += Math.abs(values[i]);
    }
    double clip =
        CONSTANTS[bits][0] * Math.sqrt(squares / count) + CONSTANTS[bits][1] * magnitudes / count;
    return clip > 0 ? (float) clip : largest;
  }
}
