package io.shardpress.common;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What common may know: formats, storage and settings, but no cluster and no numerics. */
@AnalyzeClasses(
    packages = "io.shardpress.common",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule KNOWS_NO_CLUSTER_AND_NO_NUMERICS =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.apache.spark..",
              "scala..",
              "org.nd4j..",
              "org.bytedeco..",
              "io.shardpress.operators..",
              "io.shardpress.jobs..");

  @ArchTest
  static final ArchRule REACHES_HADOOP_FROM_STORAGE_ONLY =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.shardpress.common.storage..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.hadoop..");

  @ArchTest
  static final ArchRule READS_HOCON_FROM_CONFIG_ONLY =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.shardpress.common.config..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("com.typesafe.config..");

  @ArchTest
  static final ArchRule HAS_NO_PACKAGE_CYCLES =
      slices().matching("io.shardpress.common.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule HAS_NO_STATIC_STATE = fields().that().areStatic().should().beFinal();

  @ArchTest
  static final ArchRule HIDES_ITS_FIELDS = fields().that().areNotStatic().should().notBePublic();
}
