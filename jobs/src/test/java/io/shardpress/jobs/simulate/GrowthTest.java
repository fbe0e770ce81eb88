package io.shardpress.jobs.simulate;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.shardpress.jobs.spark.Work;
import java.util.List;
import org.junit.jupiter.api.Test;

class GrowthTest {
  @Test
  void knowsTheTasksOfEveryRun() {
    List<String> kinds =
        new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.shardpress.jobs")
                .stream()
                .filter(found -> found.isAssignableTo(Work.class) && found.isRecord())
                .filter(found -> !found.getPackageName().matches(".*\\.(verify|archive)"))
                .map(JavaClass::getSimpleName)
                .toList();

    assertThat(kinds)
        .as("a new kind of task says in Growth how its jobs grow")
        .contains("ObserveStages")
        .allSatisfy(kind -> assertThat(Growth.ofKind(kind)).as(kind).isPresent());
  }

  @Test
  void knowsNothingOfOtherTasks() {
    assertThat(Growth.ofKind("Unheard")).isEmpty();
  }
}
