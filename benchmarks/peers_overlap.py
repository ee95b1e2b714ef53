"""Two Gaussians 1.5 apart: a fit that has arrived, beside scikit-learn driven as far. Takes minutes, so only in slow runs."""

from __future__ import annotations

import time
import warnings

import numpy as np
from figures import Figure, seconds

import gmm1d

N = 100_000


def data() -> np.ndarray:
    """Draw half of the values from N(0, 1) and half from N(1.5, 1)."""
    rng = np.random.default_rng(0)
    return rng.normal(1.5 * rng.integers(2, size=N), 1.0)


def scikit_learn(x: np.ndarray) -> tuple[float, gmm1d.Mixture, int]:
    """Return the seconds of one fit, its mixture and its iterations."""
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begin = time.perf_counter()
        model = GaussianMixture(2, tol=1e-12, max_iter=10**6, random_state=0).fit(x[:, None])
        took = time.perf_counter() - begin
    variances = model.covariances_[:, 0, 0]
    return (
        took,
        gmm1d.Mixture(model.weights_, model.means_[:, 0], variances=variances),
        model.n_iter_,
    )


def measure() -> list[Figure]:
    x = data()
    gmm1d.fit(x[:100], 2)
    ours = seconds(lambda: gmm1d.fit(x, 2), 7)
    fit = gmm1d.fit(x, 2)
    theirs, mixture, iterations = scikit_learn(x)
    # Both by the same function at the returned parameters; a millionth is rounding.
    gain = float(fit.mixture.logpdf(x).sum() - mixture.logpdf(x).sum())
    note = f"{theirs:.0f} s, {iterations} iterations / {ours * 1e3:.3g} ms, {fit.status.name}"
    return [
        Figure(
            "N(0,1) + N(1.5,1), n = 1e5: scikit-learn, tol = 1e-12 / gmm1d",
            theirs / ours,
            at_least=5000,
            note=note,
        ),
        Figure("our log-likelihood minus scikit-learn's", gain, at_least=-1e-6),
    ]
