"""Quantiles of mixtures against scipy.stats.norm.ppf: `python benchmarks/quantiles.py`."""

from __future__ import annotations

from functools import partial

import numpy as np
from figures import Figure, seconds

from gmm1d import Mixture

N = 10**6
MIXTURES = {
    "5 components": Mixture(
        [0.1, 0.2, 0.3, 0.25, 0.15], [-3, 0, 1, 4, 9], stds=[1, 0.5, 2, 0.3, 1.5]
    ),
    "5 far apart": Mixture([0.2] * 5, [0, 10, 20, 30, 40], stds=[1] * 5),
    "5, stds 1e-3 to 1e3": Mixture([0.2] * 5, [0, 1e3, 1e6, 2e6, 2e6], stds=[1, 1e-3, 1e3, 1, 10]),
    "1 component": Mixture([1], [0], stds=[1]),
}


def run() -> list[dict[str, float | str]]:
    """Return the ratio of times and the largest |cdf(ppf(q)) - q| of every mixture."""
    from scipy import stats

    q = np.random.default_rng(1).random(N)
    rows: list[dict[str, float | str]] = []
    for name, m in MIXTURES.items():
        reference = seconds(partial(stats.norm.ppf, q), 5)
        ratio = seconds(partial(m.ppf, q), 5) / reference
        error = float(np.abs(m.cdf(m.ppf(q)) - q).max())
        rows.append({"mixture": name, "ratio": ratio, "error": error})
    return rows


def measure() -> list[Figure]:
    return [
        Figure(
            f"{N:.0e} quantiles, {row['mixture']}",
            float(row["ratio"]),
            at_most=30,
            note=f"times norm.ppf; |cdf(ppf(q)) - q| <= {row['error']:.1e}",
        )
        for row in run()
    ]


if __name__ == "__main__":
    for figure in measure():
        print("  ".join(figure.row()))
