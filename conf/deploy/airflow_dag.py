"""Compresses a checkpoint and verifies it, on the cluster of the Airflow connection `spark_default`.

A retry gives the same command to the same output, and so goes on where the last attempt stopped. Never add
--overwrite or --restart here: a retry would begin anew.
"""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

RECIPE = "s3a://recipes/llama.conf"

SHARDPRESS = {
    "application": "/opt/shardpress/shardpress-app.jar",
    "java_class": "io.shardpress.jobs.cli.Main",
    "conn_id": "spark_default",
    "conf": {
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
        "spark.network.crypto.cipher": "AES/GCM/NoPadding",
        "spark.io.encryption.enabled": "true",
        "spark.acls.enable": "true",
        "spark.executor.memoryOverheadFactor": "1.0",
        "spark.yarn.maxAppAttempts": "1",
    },
}

with DAG(
    dag_id="shardpress",
    start_date=datetime(2026, 1, 1),
    schedule=None,
    catchup=False,
    # Two runs would meet at one output; the second would only be refused.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
) as dag:
    compress = SparkSubmitOperator(
        task_id="compress", application_args=["compress", RECIPE], **SHARDPRESS
    )
    verify = SparkSubmitOperator(
        task_id="verify", application_args=["verify", RECIPE], **SHARDPRESS
    )
    compress >> verify
