"""scikit-lego, written for scikit-learn's GaussianMixture, before and after `GaussianMixture1D` takes its place.

Its code stays as it is, every parameter that it hands on included. Where a classifier has a mixture for each column
and class, n is the number of rows.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from math import nan
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from figures import Figure, seconds
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_score

from gmm1d.estimator import GaussianMixture1D

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

N = 100_000
REPEATS = 3
DATA = {"breast cancer": load_breast_cancer, "wine": load_wine}


def measure() -> list[Figure]:
    if find_spec("sklego") is None:
        return [Figure("scikit-lego: skipped", nan, note="pip install scikit-lego brings it")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each class says in its own words what did not converge
        figures = [Figure("scikit-lego", nan, note=version("scikit-lego"))]
        for name in DATA:
            figures += naive_bayes(name, 3)
        return figures + outliers(3)


def naive_bayes(name: str, k: int) -> list[Figure]:
    """Fit a mixture to every column of every class."""
    x, y = DATA[name](return_X_y=True)
    module = import_module("sklego.naive_bayes")

    def fitted() -> Any:
        return module.GaussianMixtureNB(k, random_state=0).fit(x, y)

    def run() -> tuple[float, Array, float]:
        time, model = seconds(fitted, REPEATS), fitted()
        found = [
            mixture.score(x[y == label][:, [i]]) * np.sum(y == label)
            for label, mixtures in model.gmms_.items()
            for i, mixture in enumerate(mixtures)
        ]
        judged = cross_val_score(module.GaussianMixtureNB(k, random_state=0), x, y, cv=10)
        return time, np.array(found), float(judged.mean())

    (theirs, before, accuracy), (ours, after, accuracy_after) = swapped(module, run)
    higher = f"higher in {np.sum(after > before)} of {after.size} mixtures"
    return [
        Figure(
            f"GaussianMixtureNB({k}), {name}, n = {len(x)}: times faster",
            theirs / ours,
            at_least=1,
            note=f"{theirs:.3f} s before, {ours:.3f} s after",
        ),
        Figure("  log-likelihood gained", after.sum() - before.sum(), at_least=0, note=higher),
        Figure(
            "  accuracy gained, in ten folds",
            accuracy_after - accuracy,
            note=f"{accuracy:.3f} before, {accuracy_after:.3f} after",
        ),
    ]


def outliers(k: int) -> list[Figure]:
    """Fit a mixture to one long column, and judge every value of it."""
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.normal(0, 1, N // 2), rng.normal(4, 1, N // 4), rng.normal(9, 2, N // 4)]
    )
    module = import_module("sklego.mixture.gmm_outlier_detector")

    def found() -> Any:
        return module.GMMOutlierDetector(threshold=0.99, n_components=k, random_state=0).fit(
            x[:, None]
        )

    def run() -> tuple[float, Array]:
        return seconds(found, REPEATS), found().predict(x[:, None])

    (theirs, before), (ours, after) = swapped(module, run)
    return [
        Figure(
            f"GMMOutlierDetector({k}), n = {N:.0e}: times faster",
            theirs / ours,
            at_least=1,
            note=f"{theirs:.3f} s before, {ours:.3f} s after",
        ),
        Figure("  share of values judged alike", float(np.mean(before == after)), at_least=0.99),
    ]


def swapped(module: Any, run: Any) -> list[Any]:
    """Run it with scikit-learn's class in the module, then with that of gmm1d."""
    results = []
    for mixture in (GaussianMixture, GaussianMixture1D):
        with patch.object(module, "GaussianMixture", mixture):
            results.append(run())
    return results
