package io.shardpress.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LocationTest {

  @ParameterizedTest
  @CsvSource({
    "/models/a, file:///models/a",
    "/models/a/, file:///models/a",
    "/models//x/../a/., file:///models/a",
    "file:/models/a, file:///models/a",
    "file:///models/a b%20, file:///models/a b%20",
    "file://localhost/models, file:///models",
    "/, file:///",
    "file:, file:///",
    "S3A://bucket/x//y/, s3a://bucket/x/y",
    "s3a://bucket, s3a://bucket/",
    "hdfs:///models, hdfs:///models",
    "hdfs:/models, hdfs:///models",
    "hdfs://name:8020/models, hdfs://name:8020/models",
    "abfss://container@account.host/x, abfss://container@account.host/x"
  })
  void equalPlacesHaveEqualText(String text, String uri) {
    assertThat(Location.of(text).uri()).isEqualTo(uri);
    assertThat(Location.of(uri)).isEqualTo(Location.of(text)).hasToString(uri);
  }

  @Test
  void relativePathsStartAtTheWorkingFolder() {
    assertThat(Location.of("models/a").path())
        .isEqualTo(Path.of("models/a").toAbsolutePath().toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "  ",
        "a\u0000b",
        "a\nb",
        "hdfs:relative",
        "s3a://bucket/../other",
        "s3a://bucket/x/..",
        "file://server/share"
      })
  void refusesWhatNamesNoPlace(String text) {
    assertThatThrownBy(() -> Location.of(text)).isInstanceOf(InputException.class);
  }

  @Test
  void neverRepeatsAPassword() {
    assertThatThrownBy(() -> Location.of("s3a://key:hunter2@bucket/x"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("password")
        .hasMessageNotContaining("hunter2");
  }

  @Test
  void goesDownAndUp() {
    Location bucket = Location.of("s3a://bucket");
    Location file = bucket.child("models").child("a.txt");

    assertThat(file.uri()).isEqualTo("s3a://bucket/models/a.txt");
    assertThat(file.name()).isEqualTo("a.txt");
    assertThat(file.scheme()).isEqualTo("s3a");
    assertThat(file.path()).isEqualTo("/models/a.txt");
    assertThat(file.parent().parent()).isEqualTo(bucket);
    assertThatThrownBy(bucket::parent)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("s3a://bucket/");
  }

  @Test
  void knowsWhatLiesWithin() {
    Location folder = Location.of("/models/a");

    assertThat(folder.child("x").child("y").isWithin(folder)).isTrue();
    assertThat(folder.isWithin(folder)).isTrue();
    assertThat(Location.of("/models/ab").isWithin(folder)).isFalse();
    assertThat(folder.isWithin(Location.of("/"))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "a/b", "/a"})
  void childrenHaveASingleName(String name) {
    assertThatThrownBy(() -> Location.of("/models").child(name))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
