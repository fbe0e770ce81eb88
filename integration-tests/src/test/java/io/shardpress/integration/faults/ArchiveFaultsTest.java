package io.shardpress.integration.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.integration.Cli;
import io.shardpress.integration.Folders;
import io.shardpress.integration.faults.Fault.Effect;
import io.shardpress.integration.faults.TinyRun.Way;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An operation of storage fails as a checkpoint is archived or restored, whichever: the command
 * ends with a typed error and leaves nothing that counts, or it has done all of its work.
 */
class ArchiveFaultsTest {
  private static final long SEED = 20261128;
  private static final int STRIDE = 11;
  private static final int INPUT = 2;
  private static final int ENVIRONMENT = 3;
  private static final int DESTINATION = 5;

  @TempDir private Path folder;
  private final Faults faults = Faults.named("archive");
  private TinyRun run;

  @BeforeEach
  void publish() {
    faults.clear();
    run = TinyRun.in(folder, SEED);
    Cli.run("compress", run.recipe(Way.RTN)).succeeded();
  }

  private Cli.Result command(String name, Path from, Path to) {
    List<String> command = new ArrayList<>(List.of(name));
    command.addAll(List.of(faults.location(from), faults.location(to)));
    // One task at a time, so that the operation of a number is the same in every run.
    command.addAll(List.of("--set", "spark.master=\"local[1,2]\""));
    command.addAll(List.of("--set", "spark.ui.enabled=false"));
    return Cli.run(command.toArray(String[]::new));
  }

  @ParameterizedTest
  @EnumSource(names = {"FAIL", "DENY", "LOSE_ANSWER"})
  void of_an_archive(Effect effect) {
    strike("archive", run.output(), folder.resolve("archive"), "archive.json", effect);
  }

  @ParameterizedTest
  @EnumSource(names = {"FAIL", "DENY", "LOSE_ANSWER"})
  void of_a_restore(Effect effect) {
    Path archive = folder.resolve("archive");
    command("archive", run.output(), archive).succeeded();
    strike("restore", archive, folder.resolve("back"), "_SUCCESS.json", effect);
  }

  /** Fails every few operations in turn, each time one of another command. */
  private void strike(String name, Path from, Path to, String mark, Effect effect) {
    Map<String, String> source = Folders.hashes(from);
    faults.clear();
    command(name, from, to).succeeded();
    int operations = faults.touched().size();
    Map<String, String> whole = Folders.hashes(to);
    Map<Integer, Integer> codes = new TreeMap<>();
    for (int k = 1 + effect.name().length() % STRIDE; k <= operations; k += STRIDE) {
      Folders.deleteAll(to);
      Fault fault = Fault.of(effect).at(k);
      faults.clear().inject(fault);
      Cli.Result struck = command(name, from, to);
      String what = fault.line() + "\n" + struck;

      codes.merge(struck.code(), 1, Integer::sum);
      assertThat(Folders.hashes(from)).as(what).isEqualTo(source);
      if (struck.code() == 0) {
        assertThat(Folders.hashes(to)).as(what).containsAllEntriesOf(whole);
      } else {
        assertThat(struck.code()).as(what).isIn(INPUT, ENVIRONMENT, DESTINATION);
        assertThat(struck.err()).as(what).doesNotContain("internal error");
        boolean unknown = struck.err().contains("It could not be learned");
        assertThat(Folders.files(to).contains(mark)).as(what).isIn(false, unknown);
        faults.clear();
        Folders.deleteAll(to);
        command(name, from, to).succeeded();
        assertThat(Folders.hashes(to)).as(what).isEqualTo(whole);
      }
    }
    System.out.printf("%s: %d operations, exit codes %s%n", name, operations, codes);
    assertThat(codes.keySet()).containsAnyOf(ENVIRONMENT, DESTINATION);
  }

  @Test
  void a_disk_that_is_full() {
    Path archive = folder.resolve("archive");
    faults.quota(3000);
    Cli.Result full = command("archive", run.output(), archive);

    assertThat(full.code()).as(full.toString()).isEqualTo(DESTINATION);
    assertThat(full.err()).contains("No space left on device", "free space");
    assertThat(Folders.files(archive)).isEmpty();
    faults.clear();
    command("archive", run.output(), archive).succeeded();
  }
}
