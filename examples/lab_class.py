"""The lab class: a mixture of two Gaussians, then of any number, with the checks a lab asks for.

Run it: ``python examples/lab_class.py``. The class itself is meant to be read: `gmm1d.textbook`.
"""

from __future__ import annotations

import numpy as np

import gmm1d
from gmm1d.textbook import GMM1D

TWO = gmm1d.Mixture(weights=[0.4, 0.6], means=[-2.5, 3.5], stds=[2, 2])
FOUR = gmm1d.Mixture(weights=[0.1, 0.3, 0.4, 0.2], means=[-9, -3, 2, 8], stds=[0.5, 1, 1, 2])


def check(sentence: str, holds: object) -> None:
    """Print what was checked; stop at the first thing that does not hold."""
    print(f"  {'ok' if holds else 'FAILED'}: {sentence}")
    if not holds:
        raise SystemExit(1)


def show(truth: gmm1d.Mixture, n: int) -> GMM1D:
    """Draw n points from a known mixture as a column, take one step by hand, then fit."""
    print(f"{truth.k} Gaussians, {n} points")
    X = truth.rvs((n, 1), rng=7)
    model = GMM1D(truth.k)

    gammas = model.estep(X)
    check(
        f"estep gives one row per point: {gammas.shape}", gammas.shape == (n, model.num_gaussians)
    )
    check("every row sums to one", np.allclose(gammas.sum(axis=1), 1))
    before = model.log_likelihood(X)
    model.mstep(X, gammas)
    rise = model.log_likelihood(X) - before
    check(f"one step by hand raises the log-likelihood by {rise:.3g}", rise > -1e-9)

    model.fit(X)
    check(
        f"it never falls in {len(model.history) - 1} steps", np.all(np.diff(model.history) > -1e-9)
    )
    found = gmm1d.Mixture(model.weights, model.means, variances=model.variances)
    check(
        f"the known means come back: {found.means.round(2)}",
        np.all(abs(found.means - truth.means) < 0.5),
    )
    fast = gmm1d.fit(X, truth.k)
    check(
        "gmm1d.fit finds the same",
        np.allclose(fast.log_likelihood, model.log_likelihood(X), rtol=1e-9),
    )
    print(f"  {found.formula(digits=4)}\n")
    return model


if __name__ == "__main__":
    show(TWO, 1000)
    show(FOUR, 2000)
