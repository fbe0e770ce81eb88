package io.shardpress.integration.benchmarks;

/** Wall time of repeated calls. */
final class Timer {
  private Timer() {}

  /** Mean seconds per call, of at least one call and of as many as begin within {@code atLeast}. */
  static double seconds(double atLeast, Runnable call) {
    long start = System.nanoTime();
    int calls = 0;
    double spent;
    do {
      call.run();
      calls++;
      spent = (System.nanoTime() - start) / 1e9;
    } while (spent < atLeast);
    return spent / calls;
  }
}
