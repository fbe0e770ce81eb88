#!/usr/bin/env bash
# A run on YARN, its driver on the cluster. The recipe lies where the cluster sees it.
#
#   conf/deploy/yarn.sh hdfs:///recipes/llama.conf [options of compress]
#
# Needs SPARK_HOME, a Spark 4 distribution, and the jar of `mvn -Pquick,dist -DskipTests package`.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
recipe=${1:?the recipe, on storage that the cluster sees}
shift

# One attempt: YARN's second one would begin while the first may still write. After a failure give the same
# command again; it goes on where the last one stopped.
exec "${SPARK_HOME:?}/bin/spark-submit" \
  --master yarn --deploy-mode cluster --name "shardpress ${recipe##*/}" \
  --properties-file "$home/conf/deploy/spark-defaults.conf" \
  --conf spark.yarn.maxAppAttempts=1 \
  --num-executors 16 --executor-cores 4 --executor-memory 12g --driver-memory 1g \
  --class io.shardpress.jobs.cli.Main \
  "$home/jobs/target/shardpress-app.jar" compress "$recipe" "$@"
