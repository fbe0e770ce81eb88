package io.shardpress.jobs.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.SafeFileName;
import java.util.List;
import org.junit.jupiter.api.Test;

class SafeNamesTest {
  @Test
  void leavesPlainNamesAlone() {
    assertThat(SafeNames.of("model.layers.0.mlp.down_proj"))
        .isEqualTo("model.layers.0.mlp.down_proj");
  }

  @Test
  void makesFileNamesOfAnything() {
    List<String> hostile =
        List.of(
            "../../etc/passwd",
            "a/b",
            "a\\b",
            "",
            " ",
            ".",
            "..",
            "a\u0000b",
            "s3a://x/y",
            "é",
            "a".repeat(5000),
            "a".repeat(4999),
            "x~y",
            ".hidden",
            "name.",
            "%2e%2e");
    assertThat(hostile.stream().map(SafeNames::of))
        .doesNotHaveDuplicates()
        .allMatch(SafeFileName::isSafe)
        .allMatch(name -> name.length() < 200);
  }
}
