package io.shardpress.jobs.recipe;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import java.util.regex.Pattern;

/**
 * What a recipe may tell Spark: sizes, places and switches, but no code to load. A recipe is passed
 * on like a document; what brings jars, agents, scripts or classes belongs on the command line of
 * who starts the run.
 */
final class SparkKeys {
  /** Settings that bring files into the class path or the process, or name classes to start. */
  private static final Pattern BRINGS_CODE =
      Pattern.compile(
          "(?i)spark\\.(jars|files|archives|submit|repl|plugins|pyspark|r)(\\..*)?"
              + "|spark\\..*(extraClassPath|userClassPathFirst|extraLibraryPath)"
              + "|spark\\.yarn\\.(jars|archive|dist|user)(\\..*)?"
              + "|spark\\.kubernetes\\..*(podTemplateFile|container\\.image|file\\.upload).*"
              + "|spark\\.(extraListeners|metrics\\.conf.*|ui\\.filters|kryo\\..*)"
              + "|spark\\.sql\\.(extensions|catalog\\..*|.*Listeners)|spark\\..*discoveryScript"
              + "|spark\\.(executorEnv|yarn\\.appMasterEnv|kubernetes\\.driverEnv)"
              + "\\.(LD_.*|DYLD_.*|_?JAVA_.*|JDK_.*|PATH|CLASSPATH|BASH_ENV|ENV|PYTHON.*|SPARK_.*)");

  private static final Pattern JVM_OPTIONS =
      Pattern.compile("(?i)spark\\..*(extra|default)JavaOptions");

  /** Options that load agents or classes, or start programs. */
  private static final Pattern LOADING_OPTION =
      Pattern.compile(
          "(^|[\\s\"'])(@|-javaagent|-agent|-Xbootclasspath|-cp|-classpath|--?class-path"
              + "|--?(module-path|upgrade-module-path|patch-module)|-XX:On|-XX:Flags|-XX:VMOptionsFile"
              + "|-Djava\\.system\\.class\\.loader|-Djava\\.library\\.path)");

  private static final Pattern CLASS_NAME =
      Pattern.compile("([a-z][A-Za-z0-9_]*\\.)+[A-Z][A-Za-z0-9_$]*");

  /** Classes that are there anyway: Spark's, Hadoop's and its SDK's, and our own. */
  private static final Pattern INSTALLED =
      Pattern.compile(
          "(org\\.apache\\.(spark|hadoop)|io\\.shardpress|software\\.amazon\\.awssdk|com\\.amazonaws)\\..*");

  private SparkKeys() {}

  /** {@link InputException} for a setting that brings code; {@code origin} is where it stands. */
  static void check(String origin, String key, String value) {
    if (BRINGS_CODE.matcher(key).matches()) {
      throw refused(origin, key, "such settings bring code into the run");
    }
    if (JVM_OPTIONS.matcher(key).matches() && LOADING_OPTION.matcher(value).find()) {
      throw refused(origin, key, "its options load code");
    }
    for (String name : value.split("[,;\\s]+", -1)) {
      if (CLASS_NAME.matcher(name).matches() && !INSTALLED.matcher(name).matches()) {
        throw refused(origin, key, "it names the class " + Printable.quoted(name));
      }
    }
  }

  private static InputException refused(String origin, String key, String why) {
    return new InputException(
        "%s: the Spark setting %s is refused in a recipe: %s. Give it to spark-submit yourself: shardpress compress recipe.conf -- --conf ..."
            .formatted(origin, Printable.quoted(key), why));
  }
}
