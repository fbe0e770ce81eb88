package io.shardpress.jobs;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.shardpress.jobs.spark.Work;
import java.io.Serializable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Which way jobs depend on the rest, and what a task may carry. */
@AnalyzeClasses(packages = "io.shardpress", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String JOBS = "io.shardpress.jobs..";

  @ArchTest
  static final ArchRule NOTHING_DEPENDS_ON_JOBS =
      noClasses()
          .that()
          .resideInAnyPackage("io.shardpress.common..", "io.shardpress.operators..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(JOBS);

  @ArchTest
  static final ArchRule COMMON_DOES_NOT_DEPEND_ON_OPERATORS =
      noClasses()
          .that()
          .resideInAPackage("io.shardpress.common..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.shardpress.operators..");

  @ArchTest
  static final ArchRule HAS_NO_PACKAGE_CYCLES =
      slices().matching("io.shardpress.jobs.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule TASKS_CARRY_NO_ARRAYS =
      fields()
          .that()
          .haveRawType(INDArray.class)
          .should()
          .beDeclaredInClassesThat()
          .areNotAssignableTo(Serializable.class)
          .andShould()
          .beDeclaredInClassesThat()
          .areNotAssignableTo(Work.class);

  @ArchTest
  static final ArchRule TASKS_ARE_SERIALIZABLE_RECORDS =
      classes().that().implement(Work.class).should().beRecords();

  @ArchTest
  static final ArchRule NUMERICS_ARE_BEHIND_OPERATORS =
      noClasses()
          .that()
          .resideInAPackage(JOBS)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.bytedeco..", "org.nd4j.linalg.factory..");

  @ArchTest
  static final ArchRule REPLAYS_NEED_NO_SPARK =
      noClasses()
          .that()
          .resideInAnyPackage("io.shardpress.jobs.simulate..", "io.shardpress.jobs.costs..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.spark..", "io.shardpress.jobs.spark..");

  @ArchTest
  static final ArchRule ONLY_THE_COMMAND_LINE_ENDS_THE_PROCESS =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.shardpress.jobs.cli..")
          .should()
          .callMethod(System.class, "exit", int.class);

  @ArchTest
  static final ArchRule HAS_NO_STATIC_STATE = fields().that().areStatic().should().beFinal();

  @ArchTest
  static final ArchRule HIDES_ITS_FIELDS = fields().that().areNotStatic().should().notBePublic();
}
