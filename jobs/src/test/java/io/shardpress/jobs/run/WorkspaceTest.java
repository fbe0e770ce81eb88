package io.shardpress.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.Location;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class WorkspaceTest {
  private final UUID run = UUID.fromString("00000000-0000-0000-0000-000000000001");
  private final Workspace workspace = Workspace.beside(Location.of("s3a://bucket/out"), run);

  @Test
  void liesBesideTheOutputUnderTheRunsId() {
    String root = "s3a://bucket/out/_staging/00000000-0000-0000-0000-000000000001";
    assertThat(workspace.root()).hasToString(root);
    assertThat(workspace.tokens()).hasToString(root + "/tokens");
    assertThat(workspace.activations(3, 12, run))
        .hasToString(root + "/activations/stage-0003/chunk-00012.%s.arrow".formatted(run));
    assertThat(workspace.partials(3, 12, run))
        .hasToString(root + "/partials/stage-0003-chunk-00012.%s.safetensors".formatted(run));
    assertThat(workspace.statistics()).hasToString(root + "/statistics");
    assertThat(workspace.layers()).hasToString(root + "/layers");
    assertThat(workspace.marks()).hasToString(root + "/marks");
  }
}
