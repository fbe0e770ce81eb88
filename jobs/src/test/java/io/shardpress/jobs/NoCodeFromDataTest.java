package io.shardpress.jobs;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.ObjectInputStream;
import java.net.URLClassLoader;
import java.util.Set;

/** Nothing that is read becomes code: no serialized objects, no programs, no classes by name. */
@AnalyzeClasses(
    packages = "io.shardpress",
    importOptions = {ImportOption.DoNotIncludeTests.class, NoCodeFromDataTest.NoTestJars.class})
class NoCodeFromDataTest {
  /** Other modules' tests come as jars where this one uses them. */
  static final class NoTestJars implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("-tests.jar");
    }
  }

  /** Go over the wire with Spark's own serialization, from the driver to its executors. */
  private static final Set<String> SENT_BY_SPARK =
      Set.of("io.shardpress.common.storage.SerializedConfiguration");

  private static final DescribedPredicate<JavaClass> ARE_SENT_BY_SPARK =
      DescribedPredicate.describe(
          "are sent by Spark", type -> SENT_BY_SPARK.contains(type.getName()));

  @ArchTest
  static final ArchRule READS_NO_SERIALIZED_OBJECTS =
      noClasses()
          .that(DescribedPredicate.not(ARE_SENT_BY_SPARK))
          .should()
          .dependOnClassesThat()
          .areAssignableTo(ObjectInputStream.class)
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("org.apache.commons.lang3.SerializationUtils")
          .orShould()
          .dependOnClassesThat()
          .resideInAnyPackage("com.esotericsoftware..", "org.apache.spark.serializer..");

  @ArchTest
  static final ArchRule HAS_NO_HOOKS_OF_SERIALIZATION =
      noMethods()
          .that()
          .areDeclaredInClassesThat(DescribedPredicate.not(ARE_SENT_BY_SPARK))
          .should()
          .haveName("readObject")
          .orShould()
          .haveName("readExternal")
          .orShould()
          .haveName("readObjectNoData");

  @ArchTest
  static final ArchRule READS_NO_TYPED_DOCUMENTS =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.yaml.snakeyaml..",
              "java.beans..",
              "com.thoughtworks.xstream..",
              "javax.script..",
              "org.apache.spark.ml..")
          .orShould()
          .dependOnClassesThat()
          .haveNameMatching(
              "com\\.fasterxml\\.jackson\\.(dataformat\\..*|databind\\.jsontype\\..*"
                  + "|annotation\\.JsonTypeInfo.*)")
          .orShould()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "asks Jackson for default typing",
                  call ->
                      call.getName().equals("activateDefaultTyping")
                          || call.getName().equals("enableDefaultTyping")));

  @ArchTest
  static final ArchRule STARTS_NO_PROGRAMS =
      noClasses()
          .should()
          .dependOnClassesThat()
          .areAssignableTo(ProcessBuilder.class)
          .orShould()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "calls Runtime.exec",
                  call ->
                      call.getName().equals("exec")
                          && call.getTargetOwner().isEquivalentTo(Runtime.class)));

  @ArchTest
  static final ArchRule LOADS_NO_CLASSES_BY_NAME =
      noClasses()
          .should()
          .dependOnClassesThat()
          .areAssignableTo(URLClassLoader.class)
          .orShould()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "calls Class.forName or loadClass",
                  call ->
                      (call.getName().equals("forName")
                              && call.getTargetOwner().isEquivalentTo(Class.class))
                          || call.getName().equals("loadClass")
                          || call.getName().equals("defineClass")));
}
