"""The self-checks of ``python -m gmm1d.textbook``: shapes, sums, climbs, a worked problem and the objective S."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gmm1d.textbook import (
    GMM1D,
    e_step,
    em,
    log_likelihood,
    lower_bound,
    m_step,
    penalised_log_likelihood,
    penalised_m_step,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Checks: TypeAlias = "Iterator[tuple[str, bool]]"

# A worked problem: five points, two components.
POINTS = np.array([-1.0, 0.0, 4.0, 5.0, 6.0])
WEIGHTS, MEANS, VARIANCES = np.array([0.5, 0.5]), np.array([6.0, 7.0]), np.array([1.0, 4.0])


def known_mixture() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Draw 2000 points, as a column, from 0.4 N(-2.5, 4) + 0.6 N(3.5, 4)."""
    rng = np.random.default_rng(42)
    z = rng.binomial(1, 0.4, (2000, 1))
    return z * rng.normal(-2.5, 2, (2000, 1)) + (1 - z) * rng.normal(3.5, 2, (2000, 1))


def any_number_of_gaussians() -> Checks:
    """Check what holds for every k."""
    X = known_mixture()
    for k in (1, 2, 4):
        model = GMM1D(k)
        gammas = model.estep(X)
        yield f"k = {k}: estep of {X.shape} has shape {gammas.shape}", gammas.shape == (len(X), k)
        yield "       every row sums to one", np.allclose(gammas.sum(axis=1), 1, rtol=1e-14)
        rises = np.diff(model.fit(X, tol=1e-3).history)
        yield f"       l falls in none of {rises.size} steps", bool(np.all(rises > -1e-9))


def two_gaussians() -> Checks:
    """Check two Gaussians written out next to the general case, and a known mixture's recovery."""
    X = known_mixture()
    model = GMM1D(2).fit(X)
    found = np.concatenate([model.weights, model.means, np.sqrt(model.variances)])
    near = np.allclose(found, [0.4, 0.6, -2.5, 3.5, 2, 2], atol=0.25)
    yield f"k = 2 finds weights, means, stds {found.round(2)} for 0.4 0.6 -2.5 3.5 2 2", near
    (p1, p2), (m1, m2), (s1, s2) = model.weights, model.means, np.sqrt(model.variances)
    first = p1 / s1 * np.exp(-(((X - m1) / s1) ** 2) / 2)
    second = p2 / s2 * np.exp(-(((X - m2) / s2) ** 2) / 2)
    agrees = np.allclose(first / (first + second), model.estep(X)[:, :1], rtol=1e-9)
    yield "       two Gaussians written out agree with the general E-step", agrees
    far = model.estep([1e6])
    yield f"       a point at 10^6 still has a row, {far[0]}, that sums to one", far.sum() == 1


def penalised() -> Checks:
    """Check that S rises, and that its optimum has no component that is narrow by chance."""
    x = known_mixture()[:50]
    model = GMM1D(4)
    theta = model.start(x)
    heights = []
    for _ in range(2000):
        heights.append(float(penalised_log_likelihood(x, *theta)))
        theta = penalised_m_step(x, e_step(x, *theta))
    yield f"S falls in none of {len(heights) - 1} steps", bool(np.all(np.diff(heights) > -1e-9))
    narrowest = np.sqrt(theta[2].min())
    yield f"       four components, the narrowest of std {narrowest:.2f}", bool(narrowest > 0.1)


def worked_problem() -> Checks:
    """Check the numbers of the five points, the lower bound, and a known mistake."""
    theta = WEIGHTS, MEANS, VARIANCES
    gammas, start = e_step(POINTS, *theta), float(log_likelihood(POINTS, *theta))
    yield f"five points: l at the start is {start:.12f}", abs(start + 24.512532330086678) < 1e-12
    bound = float(lower_bound(POINTS, gammas, *theta))
    yield f"       the lower bound there is {bound:.12f}", abs(bound - start) < 1e-12
    raised = float(lower_bound(POINTS, gammas, *m_step(POINTS, gammas)))
    yield f"       the M-step raises it to {raised:.6f}", raised >= bound
    end = em(POINTS, *theta, tol=1e-13)[-1]
    right = np.allclose(end.means, [4.9999999818, -0.5000000027], rtol=1e-9)
    yield f"       EM ends at means {end.means}", right
    for _ in range(300):
        pi, mu, var = m_step(POINTS, e_step(POINTS, *theta))
        theta = pi, mu, var**2
    wrong = np.allclose(mu, [5.038, 0.693], atol=5e-4)
    yield f"       a variance taken for a standard deviation ends at {mu.round(3)}", wrong


def main() -> int:
    """Print what was checked; return 1 if something does not hold."""
    failures = 0
    kinds = any_number_of_gaussians(), two_gaussians(), worked_problem(), penalised()
    for sentence, holds in chain.from_iterable(kinds):
        print("ok    " if holds else "FAILED", sentence)
        failures += not holds
    return int(failures > 0)
