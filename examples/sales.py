"""Write the prices of two shops as Parquet files, one for each month: ``python examples/sales.py FOLDER 1 2 3``.

The logarithms of the prices are drawn from two Gaussians in either shop, always the same for the same month.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import numpy as np

import gmm1d

SHOPS = {
    "kiosk": gmm1d.Mixture(weights=[0.5, 0.5], means=[0.4, 1.7], stds=[0.3, 0.3]),
    "market": gmm1d.Mixture(weights=[0.7, 0.3], means=[1.0, 2.5], stds=[0.4, 0.3]),
}
SIZE = 41_667  # prices of a shop in a month: a million in a year


def write(folder: Path, month: int) -> None:
    rng = np.random.default_rng(month)
    logs = np.concatenate([shop.rvs(SIZE, rng=rng) for shop in SHOPS.values()])
    rows = {"shop": np.repeat(list(SHOPS), SIZE), "price": np.exp(logs)}
    duckdb.sql(f"copy rows to '{folder}/month-{month:02}.parquet'")
    del rows  # DuckDB finds it by its name


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for month in sys.argv[2:]:
        write(folder, int(month))
