"""A column on a Dask cluster of two worker processes beside the same column in local memory, read by two threads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
from distributed import Client, LocalCluster, wait
from figures import Figure, seconds

import gmm1d
from gmm1d.clusters.dask import log_likelihood, sketch

PARTITIONS, EACH, REPEATS = 64, 4_000_000, 9
EXTRA = 0.5  # seconds that a cluster may need whatever the size
BILLION = 1e9


def measure() -> list[Figure]:
    dask.config.set(
        {"distributed.worker.memory.target": False, "distributed.worker.memory.spill": False}
    )
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        rng = da.random.default_rng(1)
        size, chunks = PARTITIONS * EACH, EACH
        first = rng.random(size, chunks=chunks) < 0.4
        x = da.where(
            first, rng.normal(-2, 1, size, chunks=chunks), rng.normal(3, 1.5, size, chunks=chunks)
        )
        ddf = dd.from_dask_array(x, columns="x").to_frame().persist()
        wait(ddf)
        local = np.array(ddf["x"].to_dask_array().compute())  # aligned, which what was sent is not
        figures = _persisted(ddf, local)
        with tempfile.TemporaryDirectory() as folder:
            ddf.to_parquet(folder)
            del ddf
            figures.append(_parquet(folder, local.size))
        del client
    return figures


def _persisted(ddf: Any, local: np.ndarray) -> list[Figure]:
    n = local.size
    times = [
        (
            seconds(lambda: gmm1d.Sketch().add(local, threads=2), 1),
            seconds(lambda: sketch(ddf["x"]), 1),
        )
        for _ in range(REPEATS)
    ]
    here, there = (median(each) for each in zip(*times, strict=True))
    a, b = gmm1d.fit(local, 2), gmm1d.fit(sketch(ddf["x"]), 2)
    score = seconds(lambda: log_likelihood(b, ddf, "x"), 1)
    m, o = a.mixture, b.mixture
    apart = max(
        np.max(np.abs(m.means - o.means) / m.stds),
        np.max(np.abs(np.log(m.stds / o.stds))),
        np.max(np.abs(m.weights - o.weights)),
    )
    note = f"{there:.2f} s, locally {here:.2f} s; {(there - EXTRA) / here:.2f} times after the first {EXTRA} s"
    return [
        Figure(
            f"sketch of {PARTITIONS} persisted partitions of {EACH:.0e}, less {EXTRA} s / local",
            (there - EXTRA) / here,
            at_most=1.5,
            note=note,
        ),
        Figure("  seconds for 1e9 values", there * BILLION / n),
        Figure("  fit of it beside the local fit, largest difference", float(apart), at_most=1e-9),
        Figure("  log-likelihood of all values, seconds for 1e9", score * BILLION / n),
        Figure(
            "    its relative difference from the fit's",
            abs(log_likelihood(b, ddf, "x") / b.log_likelihood - 1),
            at_most=1e-9,
        ),
    ]


def _parquet(folder: str, n: int) -> Figure:
    took = seconds(lambda: sketch(dd.read_parquet(folder), "x"), 2)
    size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return Figure(
        "sketch of Parquet files, seconds for 1e9 values",
        took * BILLION / n,
        note=f"{size / n:.1f} bytes each",
    )
