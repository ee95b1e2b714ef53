"""Many small columns in one call, beside a loop over scikit-learn's default fit."""

from __future__ import annotations

import time
import warnings
from functools import partial
from statistics import median
from typing import Any

import marron_wand
import numpy as np
from figures import Figure, seconds
from peers import SAME, duration
from s_climb import level

import gmm1d

N, COLUMNS, LOOP, K, TURNS = 200, 20_000, 200, 2, 5


def data() -> np.ndarray:
    """Return columns of Marron and Wand's densities 6, 7 and 8, of two components each, in turn."""
    columns = [marron_wand.sample(6 + j % 3, N, j) for j in range(COLUMNS)]
    return np.ascontiguousarray(np.transpose(columns))


def scikit_learn(x: np.ndarray) -> tuple[float, list[gmm1d.Mixture]]:
    """Return the seconds per column of a loop over the first columns, and the mixtures."""
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    found = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        GaussianMixture(K, random_state=0).fit(x[:, :1])
        begin = time.perf_counter()
        for column in x.T[:LOOP]:
            found.append(GaussianMixture(K, random_state=0).fit(column[:, None]))
        took = (time.perf_counter() - begin) / LOOP
    return took, [
        gmm1d.Mixture(m.weights_, m.means_[:, 0], variances=m.covariances_[:, 0, 0]) for m in found
    ]


def measure() -> list[Figure]:
    x = data()
    taken: dict[str, list[float]] = {"loop": [], "all": [], "1": []}
    for _ in range(TURNS):  # in turn, so that a busy machine delays all alike
        loop, mixtures = scikit_learn(x)
        taken["loop"].append(loop)
        for threads in ("all", "1"):
            ours = partial(gmm1d.fit_many, x, K, axis=0, threads=None if threads == "all" else 1)
            taken[threads].append(seconds(ours, 1) / COLUMNS)
    loop = median(taken["loop"])
    figures = [
        Figure(
            f"{COLUMNS} columns × {N}, k = 2, {threads} threads: scikit-learn / fit_many",
            loop / median(taken[threads]),
            at_least=bound,
            note=f"{duration(loop)} / {duration(median(taken[threads]))} per column; scikit-learn from {LOOP} columns",
        )
        for threads, bound in (("all", 60), ("1", None))
    ]
    many = gmm1d.fit_many(x, K, axis=0)
    rises = [
        level(column, mixture) - level(column, _mixture(many, j))
        for j, (mixture, column) in enumerate(zip(mixtures, x.T, strict=False))
    ]
    note = f"{sum(rise < -SAME for rise in rises)} of {len(rises)} below by more than {SAME:g}"
    name = "S to which scikit-learn's fit leads above that to which fit_many's does, worst column"
    return [*figures, Figure(name, max(rises), at_most=SAME, note=note)]


def _mixture(many: Any, j: int) -> gmm1d.Mixture:
    return gmm1d.Mixture(many.weights[j], many.means[j], stds=many.stds[j])
