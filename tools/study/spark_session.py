"""Spark on this machine, for the benchmark and the deep lane."""

import os
import shutil
import sys

from chapters import ROOT

FOLDER = ROOT / ".venv" / "spark"  # where `make .venv/spark` puts PySpark


def find_missing() -> str | None:
    """What Spark lacks here, in a sentence; ``None`` if it can run."""
    if not (FOLDER / "pyspark").exists():
        return "there is no PySpark: run `make .venv/spark`"
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        return "there is no Java, which Spark runs on: install Java 17"
    return None


def open_spark(cores: int = 2, memory: str = "2g"):
    """A session of Spark in one process of Java with ``cores`` threads; ``stop()`` ends it."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": memory,
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": str(2 * cores),
    }
    return SparkSession.builder.master(f"local[{cores}]").config(map=settings).getOrCreate()
