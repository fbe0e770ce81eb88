package io.shardpress.jobs.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.HostileNames;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import java.util.List;
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
    assertThat(workspace.activations(3, 12))
        .hasToString(root + "/activations/stage-0003/chunk-00012.arrow");
    assertThat(workspace.partials(3, 12))
        .hasToString(root + "/partials/stage-0003-chunk-00012.safetensors");
    assertThat(workspace.statistics("model.layers.0.mlp.input"))
        .hasToString(root + "/statistics/model.layers.0.mlp.input.safetensors");
    assertThat(workspace.layer("lm_head")).hasToString(root + "/layers/lm_head.safetensors");
  }

  @Test
  void isNotLeftByAModulesName() {
    for (String name : HostileNames.ALL) {
      for (Location file : List.of(workspace.layer(name), workspace.statistics(name))) {
        assertThat(file.parent().parent()).as(name).isEqualTo(workspace.root());
        assertThat(SafeFileName.isSafe(file.name())).as(name).isTrue();
      }
    }
  }
}
