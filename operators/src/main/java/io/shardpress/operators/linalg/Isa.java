package io.shardpress.operators.linalg;

import org.bytedeco.dnnl.global.dnnl;

/** The instruction sets that oneDNN tells apart, as far as they matter to products. */
enum Isa {
  AMX("AMX BF16"),
  AVX512_BF16("AVX-512 BF16"),
  AVX512("AVX-512"),
  AVX2("AVX2"),
  OLDER("SSE or AVX");

  private static final int AVX2_BITS = dnnl.dnnl_cpu_isa_avx2;
  private static final int AVX512_BITS = dnnl.dnnl_cpu_isa_avx512_core;
  private static final int BF16_BITS = dnnl.dnnl_cpu_isa_avx512_core_bf16;
  private static final int AMX_BITS = dnnl.dnnl_cpu_isa_avx512_core_amx;

  private final String label;

  Isa(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }

  /** Whether BF16 products beat F32 products; elsewhere they are emulated. */
  boolean hasBf16() {
    return this == AMX || this == AVX512_BF16;
  }

  /** What this process may use of what the processor has. */
  static Isa effective() {
    int bits = dnnl.dnnl_get_effective_cpu_isa();
    if (contains(bits, AMX_BITS)) {
      return AMX;
    }
    if (contains(bits, BF16_BITS)) {
      return AVX512_BF16;
    }
    if (contains(bits, AVX512_BITS)) {
      return AVX512;
    }
    return contains(bits, AVX2_BITS) ? AVX2 : OLDER;
  }

  private static boolean contains(int bits, int wanted) {
    return (bits & wanted) == wanted;
  }
}
