"""S = log-likelihood + 3/2 Σ log σ_j + Σ log π_j, computed independently of the engine, and the engine's climbs to its finite optima."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import gmm1d
from gmm1d import _engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

C, D = 1.5, 1.0  # S = l + C Σ log σ + D Σ log π
EM_STEPS = 5
STEPS = 1000  # Newton's, at most
STATIONARY = 1e-7  # of the scaled gradient: what ends above is no optimum


def value(x: Array, mixture: gmm1d.Mixture) -> float:
    """Return S of a mixture."""
    barrier = C * np.log(mixture.stds).sum() + D * np.log(mixture.weights).sum()
    return float(mixture.logpdf(x).sum() + barrier)


def level(x: Array, mixture: gmm1d.Mixture) -> float:
    """Return the S of the optimum to which S leads from a mixture, minus infinity where that is not finite."""
    end = climb_s(x, mixture)
    return -np.inf if end is None else end[0]


def climb_s(x: Array, start: gmm1d.Mixture) -> tuple[float, gmm1d.Mixture] | None:
    """Climb on S from a start; return S and the finite optimum, None where the climb collapsed or ran to the range.

    Parameters
    ----------
    x : array (n,)
        The values.
    start : Mixture
        With positive weights; where one is 0 it is taken for half a value.

    Returns
    -------
    tuple of float and Mixture, or None
        None where a component sits on a tied value, narrower than the gap beside it resolves, where one is as wide as
        the range, or where the climb ended without an optimum.
    """
    centre, unit = float(np.median(x)), float(x.std())
    values, counts = np.unique(x, return_counts=True)
    z, counts = (values - centre) / unit, counts.astype(float)
    widest = z[-1] - z[0]
    pi = np.maximum(start.weights, 0.5 / x.size)
    stds = np.clip(start.stds / unit, 1e-12, widest)
    at = [pi / pi.sum(), (start.means - centre) / unit, stds]
    gradient = np.inf
    for method, steps in (("em", EM_STEPS), ("newton", STEPS)):
        stop, _, _, trace, measures, _ = _engine.climb(
            z, counts, 0.0, 1.0, *at, method=method, tol=-1.0, max_iter=steps, penalised=True
        )
        if stop == "collapsed" or measures is None:
            return None
        at, gradient = np.split(trace[-1, 1:], 3), measures[1]
    if gradient > STATIONARY or at[2].max() >= widest * (1 - 1e-9):
        return None
    mixture = gmm1d.Mixture(at[0] / at[0].sum(), centre + unit * at[1], unit * at[2])
    return value(x, mixture), mixture
