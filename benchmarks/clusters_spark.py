"""A cached column on Spark, on all cores of this machine: sketch and fit beside MLlib's GaussianMixture.

MLlib gets the same column as vectors, assembled and cached before, and runs once with its defaults (one random
start, at most 100 iterations, tol 0.01); sketch and fit are the median of several runs. Both log-likelihoods are
computed by the same function, and the fit is compared with that of the values in local memory. Sketches of a longer
column, cached and from Parquet files, are then timed alone: most of that is Spark's way to Python through Arrow.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from figures import Figure, seconds
from pyspark.ml.clustering import GaussianMixture
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import gmm1d
from gmm1d.clusters.spark import log_likelihood, sketch
from gmm1d.errors import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORT, LONG, REPEATS = 1_000_000, 20_000_000, 5
BILLION = 1e9
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "3g",
    "spark.log.level": "OFF",
    "spark.ui.showConsoleProgress": "false",
}


def measure() -> list[Figure]:
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    builder = SparkSession.builder.master("local[*]").appName("gmm1d")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore", FutureWarning)  # of PySpark, about pandas 3
        spark = builder.config("spark.local.dir", folder).getOrCreate()
        try:
            return [*_beside_mllib(_drawn(spark, SHORT)), *_alone(spark, f"{folder}/values")]
        finally:
            spark.stop()


def _drawn(spark: SparkSession, n: int) -> DataFrame:
    """Draw from three Gaussians that overlap."""
    u = F.rand(1)
    x = F.when(u < 0.3, F.randn(2) - 2).when(u < 0.8, 1.5 * F.randn(3) + 3)
    return spark.range(n).select(x.otherwise(2 * F.randn(4) + 9).alias("x"))


def _beside_mllib(drawn: DataFrame) -> list[Figure]:
    df = drawn.cache()
    n = df.count()
    ours = seconds(lambda: gmm1d.fit(sketch(df, "x"), 3), REPEATS)
    f = gmm1d.fit(sketch(df, "x"), 3)
    vectors = VectorAssembler(inputCols=["x"], outputCol="features").transform(df).cache()
    vectors.count()
    begin = time.perf_counter()
    model = GaussianMixture(k=3, seed=1).fit(vectors)
    theirs = time.perf_counter() - begin
    rows = model.gaussiansDF.collect()
    found = gmm1d.Mixture(
        model.weights,
        [row["mean"][0] for row in rows],
        variances=[row["cov"].toArray()[0, 0] for row in rows],
    )
    more = log_likelihood(f, df, "x") - log_likelihood(found, df, "x")
    local = gmm1d.fit(df.toArrow()["x"], 3)
    a, b = local.mixture, f.mixture
    apart = max(
        np.max(np.abs(a.means - b.means) / a.stds),
        np.max(np.abs(np.log(a.stds / b.stds))),
        np.max(np.abs(a.weights - b.weights)),
    )
    rounds = model.summary.numIter
    note = f"{theirs:.1f} s in {rounds} iterations, ours {ours:.2f} s ({os.cpu_count()} cores)"
    return [
        Figure(
            f"MLlib / sketch and fit, n = {n:.0e}, k = 3", theirs / ours, at_least=20, note=note
        ),
        Figure("  log-likelihood of ours less MLlib's", more, at_least=0),
        Figure("  fit beside the local fit, largest difference", float(apart), at_most=1e-9),
    ]


def _alone(spark: SparkSession, folder: str) -> list[Figure]:
    pa = require("pyarrow", "spark")

    def count(batches: Iterable[Any]) -> Iterator[Any]:  # inside, so that workers need no import
        yield pa.record_batch({"n": [sum(batch.num_rows for batch in batches)]})

    drawn = _drawn(spark, LONG).cache()
    drawn.write.parquet(folder)
    cached = seconds(lambda: sketch(drawn, "x"), 3)
    sent = seconds(lambda: drawn.mapInArrow(count, "n long").collect(), 3)
    drawn.unpersist()
    read = seconds(lambda: sketch(spark.read.parquet(folder), "x"), 3)
    size = sum(path.stat().st_size for path in Path(folder).glob("*.parquet"))
    return [
        Figure("sketch of a cached column, seconds for 1e9 values", cached * BILLION / LONG),
        Figure("  only sent to Python through Arrow", sent * BILLION / LONG),
        Figure(
            "sketch of Parquet files, seconds for 1e9 values",
            read * BILLION / LONG,
            note=f"{read:.2f} s for {LONG:.0e}, {size / LONG:.1f} bytes each",
        ),
    ]
