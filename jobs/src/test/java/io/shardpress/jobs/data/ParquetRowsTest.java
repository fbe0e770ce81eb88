package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.fixture.SparkTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SparkTest
class ParquetRowsTest {
  @TempDir Path folder;

  @Test
  void stringsAreTextsInTheOrderOfTheFile(SparkSession spark) throws IOException {
    Path file = write(spark, "SELECT concat('row ', id) AS text, id FROM range(0, 5000, 1, 1)");
    List<DataRow> rows = Given.rows(file, Optional.empty());
    assertThat(rows).hasSize(5000);
    assertThat(rows.get(0)).isEqualTo(new DataRow.Text("row 0"));
    assertThat(rows.get(4999)).isEqualTo(new DataRow.Text("row 4999"));
  }

  @Test
  void listsOfIntAndLongAreReadyIds(SparkSession spark) throws IOException {
    Path file =
        write(
            spark, "SELECT array(7, 8, 9) AS ints, cast(array(7, 8, 9) AS array<bigint>) AS longs");
    for (String column : List.of("ints", "longs")) {
      assertThat(Given.rows(file, Optional.of(column)))
          .singleElement()
          .satisfies(row -> assertThat(((DataRow.Ids) row).ids()).containsExactly(7, 8, 9));
    }
  }

  @Test
  void otherCodecsAreReadToo(SparkSession spark) throws IOException {
    for (String codec : List.of("zstd", "gzip")) {
      spark.conf().set("spark.sql.parquet.compression.codec", codec);
      try {
        Path file = write(spark, "SELECT '" + codec + "' AS text");
        assertThat(Given.rows(file, Optional.empty())).containsExactly(new DataRow.Text(codec));
      } finally {
        spark.conf().unset("spark.sql.parquet.compression.codec");
      }
    }
  }

  @Test
  void aMissingColumnListsThoseThereAre(SparkSession spark) throws IOException {
    Path file = write(spark, "SELECT 'a' AS body, 1 AS n");
    assertThatThrownBy(() -> Given.rows(file, Optional.of("text")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has no field 'text'; it has body, n. Set 'field'");
  }

  @Test
  void aColumnOfAnotherTypeIsRefused(SparkSession spark) throws IOException {
    Path file =
        write(
            spark,
            "SELECT 1.5D AS a, array('a') AS b, named_struct('a', 1) AS c, map('a', 1) AS d");
    for (String column : List.of("a", "b", "c", "d")) {
      assertThatThrownBy(() -> Given.rows(file, Optional.of(column)))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("Field '" + column + "' of")
          .hasMessageContaining("must hold text or a list of integer token ids");
    }
  }

  @Test
  void aNullIsNamedByRow(SparkSession spark) throws IOException {
    Path file =
        write(
            spark,
            "SELECT if(id = 1, NULL, 'a') AS text, array(1, NULL) AS ids FROM range(0, 3, 1, 1)");
    assertThatThrownBy(() -> Given.rows(file, Optional.of("text")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(".parquet row 2 has no value in field 'text'");
    assertThatThrownBy(() -> Given.rows(file, Optional.of("ids")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(".parquet row 1, id 2 has no value");
  }

  @Test
  void aFileThatIsNotParquetIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("a.parquet"), "not Parquet at all");
    assertThatThrownBy(() -> Given.rows(file, Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.parquet as Parquet");
  }

  private Path write(SparkSession spark, String query) throws IOException {
    Path target = Files.createTempDirectory(folder, "table").resolve("out");
    spark.sql(query).coalesce(1).write().parquet(target.toString());
    try (Stream<Path> files = Files.list(target)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".parquet"))
          .findFirst()
          .orElseThrow();
    }
  }
}
