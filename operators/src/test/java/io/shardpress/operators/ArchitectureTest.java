package io.shardpress.operators;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.File;
import java.time.Clock;
import java.time.Instant;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What operators may know: arrays and numbers, and nothing of the world around them. */
@AnalyzeClasses(
    packages = "io.shardpress.operators",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String LINALG = "io.shardpress.operators.linalg..";

  @ArchTest
  static final ArchRule KNOWS_NO_CLUSTER_AND_NO_STORAGE =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.apache.spark..",
              "scala..",
              "org.apache.hadoop..",
              "com.typesafe.config..",
              "io.shardpress.common.storage..",
              "io.shardpress.common.config..",
              "io.shardpress.jobs..");

  @ArchTest
  static final ArchRule OPENS_NO_FILES =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.nio.file..", "java.net..")
          .orShould()
          .dependOnClassesThat()
          .belongToAnyOf(File.class);

  @ArchTest
  static final ArchRule READS_NO_CLOCK =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(Clock.class, Instant.class)
          .orShould()
          .callMethod(System.class, "nanoTime")
          .orShould()
          .callMethod(System.class, "currentTimeMillis");

  @ArchTest
  static final ArchRule DRAWS_NO_RANDOM_NUMBERS =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(
              Random.class, SplittableRandom.class, ThreadLocalRandom.class, RandomGenerator.class)
          .orShould()
          .callMethod(Math.class, "random");

  @ArchTest
  static final ArchRule LINALG_IS_THE_ONLY_DOOR_TO_NATIVE_CODE =
      noClasses()
          .that()
          .resideOutsideOfPackage(LINALG)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.bytedeco..");

  @ArchTest
  static final ArchRule ELSEWHERE_ND4J_IS_ITS_ARRAY =
      classes()
          .that()
          .resideOutsideOfPackage(LINALG)
          .should()
          .onlyDependOnClassesThat(
              DescribedPredicate.describe(
                  "are INDArray or not of ND4J",
                  type ->
                      !type.getPackageName().startsWith("org.nd4j")
                          || type.isEquivalentTo(INDArray.class)));

  @ArchTest
  static final ArchRule HAS_NO_PACKAGE_CYCLES =
      slices().matching("io.shardpress.operators.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule HAS_NO_STATIC_STATE = fields().that().areStatic().should().beFinal();

  @ArchTest
  static final ArchRule HIDES_ITS_FIELDS = fields().that().areNotStatic().should().notBePublic();
}
