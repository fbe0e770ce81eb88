package io.shardpress.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.fixture.TinyRun;
import io.shardpress.jobs.fixture.TinyTokens;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.LogitHead;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

@SparkTest
class EvaluatorTest {
  private static final int WINDOWS = 5;

  @TempDir private Path folder;

  @Test
  void scoresEveryTokenButAWindowsFirst(SparkSession spark) {
    ModelRef model = TinyCheckpoint.llama(1).write(folder.resolve("a"));
    TokenChunks tokens = TinyTokens.prepare(spark, model, folder, WINDOWS, 2, 3);

    Evaluation evaluation = evaluator(spark).evaluate(model, Optional.empty(), tokens);

    assertThat(evaluation.windows()).isEqualTo(WINDOWS);
    assertThat(evaluation.tokens()).isEqualTo(tokens.scoredTokens());
    assertThat(Math.log(evaluation.perplexity())).isCloseTo(meanLoss(model, tokens), within(1e-6));
    assertThat(evaluation.reference()).isEmpty();
  }

  @Test
  void doesNotDependOnTheChunks(SparkSession spark) {
    ModelRef model = TinyCheckpoint.gpt2(2).write(folder.resolve("a"));
    Evaluation byTwo =
        evaluator(spark)
            .evaluate(
                model, Optional.empty(), TinyTokens.prepare(spark, model, folder, WINDOWS, 2, 3));
    Evaluation atOnce =
        evaluator(spark)
            .evaluate(
                model,
                Optional.empty(),
                TinyTokens.prepare(spark, model, folder, WINDOWS, WINDOWS, 3));

    assertThat(atOnce.perplexity()).isCloseTo(byTwo.perplexity(), within(1e-5));
  }

  @Test
  void findsNoDistanceOfAModelFromItself(SparkSession spark) {
    ModelRef model = TinyCheckpoint.llama(4).write(folder.resolve("a"));
    TokenChunks tokens = TinyTokens.prepare(spark, model, folder, WINDOWS, 2, 3);

    Evaluation evaluation = evaluator(spark).evaluate(model, Optional.of(model), tokens);

    Evaluation.Divergence distance = evaluation.reference().orElseThrow();
    assertThat(distance.perplexity()).isEqualTo(evaluation.perplexity());
    assertThat(distance.mean()).isZero();
    assertThat(distance.top1()).isEqualTo(1);
    assertThat(distance.probabilityChangeRms()).isZero();
  }

  @Test
  void findsTheDistanceOfAnotherModel(SparkSession spark) {
    ModelRef model = TinyCheckpoint.llama(5).write(folder.resolve("a"));
    ModelRef other = TinyCheckpoint.llama(6).write(folder.resolve("b"));
    TokenChunks tokens = TinyTokens.prepare(spark, model, folder, WINDOWS, 2, 3);

    Evaluation.Divergence distance =
        evaluator(spark).evaluate(model, Optional.of(other), tokens).reference().orElseThrow();

    assertThat(distance.mean()).isPositive();
    assertThat(distance.maximum()).isGreaterThanOrEqualTo(distance.percentile99());
    assertThat(distance.top1()).isLessThan(0.5);
    assertThat(distance.perplexity())
        .isEqualTo(evaluator(spark).evaluate(other, Optional.empty(), tokens).perplexity());
  }

  private static Evaluator evaluator(SparkSession spark) {
    return new Evaluator(TinyRun.tasks(spark), TinyRun.quiet());
  }

  /** Mean negative log-likelihood per scored token, in F64 from whole logits. */
  private static double meanLoss(ModelRef ref, TokenChunks tokens) {
    OpenModel model = ref.open();
    Architecture architecture = model.requireArchitecture();
    double loss = 0;
    for (int chunk = 0; chunk < tokens.chunks(); chunk++) {
      long[] ids = tokens.readChunk(chunk);
      INDArray hidden = architecture.embed(ids, tokens.length(), model.weights());
      for (int block = 0; block < architecture.blocks(); block++) {
        architecture.block(block, hidden, tokens.length(), model.weights(), InputObserver.NONE);
      }
      try (LogitHead head = architecture.head(model.weights());
          INDArray logits = head.logits(hidden)) {
        float[] row = new float[TinyCheckpoint.VOCABULARY];
        for (int at = 0; at < ids.length; at++) {
          if ((at + 1) % tokens.length() != 0) {
            Floats.readRow(logits, at, row);
            double sum = 0;
            for (float logit : row) {
              sum += Math.exp(logit);
            }
            loss += Math.log(sum) - row[(int) ids[at + 1]];
          }
        }
      }
      hidden.close();
    }
    return loss / tokens.scoredTokens();
  }
}
