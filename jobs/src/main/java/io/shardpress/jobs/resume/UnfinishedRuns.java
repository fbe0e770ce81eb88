package io.shardpress.jobs.resume;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.resume.RunIdentity.Difference;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.storage.SealedJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The work that runs left beside a destination. To be changed only by who holds its {@link Lease}.
 */
public final class UnfinishedRuns {
  private static final Pattern RUN_ID =
      Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

  private final Store store;
  private final Location output;

  public UnfinishedRuns(Store store, Location output) {
    this.store = store;
    this.output = output;
  }

  /** What becomes of an earlier attempt's work. */
  public enum Earlier {
    /** It is used, or the run is refused where it is of another run. */
    RESUME,
    /** It is removed. */
    DISCARD
  }

  /** A run's work: its id is the folder's name. */
  private record Found(Workspace workspace, UUID run) {}

  /** Ids of the runs that left work, whatever its state. */
  public List<UUID> ids() {
    return found().stream().map(Found::run).toList();
  }

  /** Whether a run has left work that could be resumed. */
  public boolean any() {
    return found().stream().anyMatch(run -> store.exists(identityOf(run.workspace())));
  }

  private List<Found> found() {
    List<Found> found = new ArrayList<>();
    for (Store.Entry entry : store.list(output.child(Workspace.STAGING))) {
      if (entry.directory() && RUN_ID.matcher(entry.name()).matches()) {
        UUID run = UUID.fromString(entry.name());
        found.add(new Found(Workspace.beside(output, run), run));
      }
    }
    return found;
  }

  /**
   * The id of the run to go on with: one that left work of the same identity, else {@code fresh},
   * whose identity is put down.
   *
   * @throws ResumeRefusedException when an earlier run left work of another identity
   */
  public UUID enter(RunIdentity identity, Earlier earlier, UUID fresh) {
    for (Found run : found()) {
      Optional<RunIdentity> left =
          earlier == Earlier.DISCARD ? Optional.empty() : identity(run.workspace());
      if (left.isEmpty()) { // unwanted, or killed before there was anything to resume
        store.delete(run.workspace().root());
        continue;
      }
      Optional<Difference> difference = identity.differenceFrom(left.get());
      if (difference.isPresent()) {
        throw new ResumeRefusedException(
            "%s holds the work of an unfinished run (%s) that is not this one: %s. Undo the change to go on with that run, or add --restart to remove its work and start anew."
                .formatted(output, run.run(), difference.get()));
      }
      return run.run();
    }
    SealedJson.create(store, identityOf(Workspace.beside(output, fresh)), identity.json());
    return fresh;
  }

  /** Removes all work that runs have left. */
  public void discard() {
    found().forEach(run -> store.delete(run.workspace().root()));
  }

  private Optional<RunIdentity> identity(Workspace workspace) {
    try {
      return SealedJson.read(store, identityOf(workspace)).map(RunIdentity::parse);
    } catch (InputException e) {
      throw new ResumeRefusedException(
          "The unfinished run cannot be resumed: %s Add --restart to start anew."
              .formatted(e.getMessage()),
          e);
    }
  }

  private static Location identityOf(Workspace workspace) {
    return workspace.root().child("identity.json");
  }
}
