package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.util.TaskCompletionListener;

/** The task that reads and tokenizes files, one after the other, without holding one in memory. */
final class TokenizeFiles implements FlatMapFunction<Iterator<DataFile>, TokenRun> {
  private static final long serialVersionUID = 1L;

  private final Store store;
  private final String field;
  private final Location checkpoint;
  private final int vocabulary;
  private final String sha256;
  private final int length;
  private final int run;

  /**
   * @param run about how many characters or ids make one array
   */
  TokenizeFiles(Store store, TokenRequest request, int run) {
    this.store = store;
    this.field = request.settings().field().orElse("");
    this.checkpoint = request.model().checkpoint();
    this.vocabulary = request.model().vocabulary();
    this.sha256 = request.tokenizerSha256();
    this.length = request.settings().length();
    this.run = run;
  }

  @Override
  public Iterator<TokenRun> call(Iterator<DataFile> files) {
    Runs runs = new Runs(files);
    TaskCompletionListener close = context -> runs.close();
    TaskContext.get().addTaskCompletionListener(close);
    return runs;
  }

  private final class Runs implements Iterator<TokenRun> {
    private final Iterator<DataFile> files;
    private Optional<DataFile> file = Optional.empty();
    private Optional<RowReader> reader = Optional.empty();
    private Optional<TokenRuns> runs = Optional.empty();
    private Optional<Tokenizer> tokenizer = Optional.empty();
    private Optional<TokenRun> ahead = Optional.empty();
    private int index;

    Runs(Iterator<DataFile> files) {
      this.files = files;
    }

    @Override
    public boolean hasNext() {
      while (ahead.isEmpty() && (file.isPresent() || files.hasNext())) {
        if (file.isEmpty()) {
          file = Optional.of(files.next());
          index = 0;
        }
        ahead = advance(file.get());
        if (ahead.isEmpty() || ahead.get() instanceof TokenRun.Failure) {
          closeFile();
        }
      }
      return ahead.isPresent();
    }

    @Override
    public TokenRun next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      TokenRun run = ahead.get();
      ahead = Optional.empty();
      return run;
    }

    private Optional<TokenRun> advance(DataFile current) {
      try {
        if (runs.isEmpty()) {
          RowReader rows = current.format().open(store, current, asked());
          reader = Optional.of(rows);
          runs = Optional.of(new TokenRuns(rows, this::encode, length, vocabulary, run));
        }
        TokenRuns open = runs.get();
        return open.next()
            .map(
                ids ->
                    new TokenRun.Tokens(current.index(), index++, open.kind().orElseThrow(), ids));
      } catch (InputException e) {
        return Optional.of(new TokenRun.Failure(current.index(), e.getMessage()));
      }
    }

    private int[] encode(String text) {
      if (tokenizer.isEmpty()) {
        tokenizer = Optional.of(Tokenizer.open(store, checkpoint, vocabulary, sha256));
      }
      return tokenizer.get().encode(text);
    }

    private Optional<String> asked() {
      return field.isEmpty() ? Optional.empty() : Optional.of(field);
    }

    private void closeFile() {
      file = Optional.empty();
      runs = Optional.empty();
      Optional<RowReader> open = reader;
      reader = Optional.empty();
      open.ifPresent(RowReader::close);
    }

    void close() {
      closeFile();
      tokenizer.ifPresent(Tokenizer::close);
      tokenizer = Optional.empty();
    }
  }
}
