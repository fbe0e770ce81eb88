#!/usr/bin/env bash
# A run on a standalone master, its driver in this process.
#
#   conf/deploy/standalone.sh spark://master:7077 recipe.conf [options of compress]
#
# Needs SPARK_HOME, a Spark 4 distribution, and the jar of `mvn -Pquick,dist -DskipTests package`.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
master=${1:?the master, such as spark://host:7077}
recipe=${2:?the recipe}
shift 2

# A standalone worker does not count memory beside the heap: leave it free on the machine.
exec "${SPARK_HOME:?}/bin/spark-submit" \
  --master "$master" --name "shardpress ${recipe##*/}" \
  --properties-file "$home/conf/deploy/spark-defaults.conf" \
  --executor-cores 4 --executor-memory 8g --driver-memory 1g \
  --class io.shardpress.jobs.cli.Main \
  "$home/jobs/target/shardpress-app.jar" compress "$recipe" "$@"
