package io.shardpress.integration.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.integration.Cli;
import io.shardpress.integration.Folders;
import io.shardpress.integration.faults.TinyRun.Way;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a run asks of its file system, name by name. */
class NothingOutsideIsTouchedTest {
  private static final int INPUT = 2;

  @TempDir private Path folder;
  private final Faults faults = Faults.named("outside");

  @Test
  void a_run_touches_its_model_its_data_and_its_output() {
    TinyRun run = TinyRun.in(folder, 1);
    faults.clear();

    Cli.run("compress", run.recipe(Way.ONE_PASS, "", faults::location)).succeeded();

    assertThat(faults.touched())
        .extracting(Faults.Touch::path)
        .allMatch(
            path ->
                path.startsWith(folder + "/model")
                    || path.startsWith(folder + "/output")
                    // The data are found by the folder that holds them.
                    || path.equals(folder + "/tokens.jsonl")
                    || path.equals(folder.toString()));
    assertThat(faults.touched())
        .filteredOn(
            touch ->
                switch (touch.operation()) {
                  case CREATE, WRITE, CLOSE, DELETE, RENAME, MKDIRS -> true;
                  case OPEN, READ, LIST, STATUS -> false;
                })
        .extracting(Faults.Touch::path)
        .isNotEmpty()
        .allMatch(path -> path.startsWith(folder + "/output"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret.safetensors",
        "/etc/passwd",
        "a/../../secret.safetensors",
        "..\\\\secret.safetensors",
        "%2e%2e/secret.safetensors",
        "file:///etc/passwd",
        "s3a://bucket/secret.safetensors",
        "model\\u0000.safetensors",
        "secret.bin"
      })
  void a_shard_index_cannot_send_it_elsewhere(String name) {
    TinyRun run = TinyRun.in(folder, 1);
    Folders.write(
        folder.resolve("model/model.safetensors.index.json"),
        "{ \"weight_map\": { \"lm_head.weight\": \"%s\" } }"
            .formatted(name)
            .getBytes(StandardCharsets.UTF_8));
    Folders.write(folder.resolve("secret.safetensors"), new byte[64]);
    faults.clear();

    Cli.run("compress", run.recipe(Way.RTN, "", faults::location)).refused(INPUT, "index.json");

    assertThat(faults.touched())
        .extracting(Faults.Touch::path)
        .isNotEmpty()
        .allMatch(
            path ->
                path.equals(folder + "/model")
                    || path.equals(folder + "/model/config.json")
                    || path.equals(folder + "/model/model.safetensors.index.json")
                    || path.startsWith(folder + "/output"));
  }
}
