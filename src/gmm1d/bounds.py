"""The lower bound that EM climbs, where it touches the log-likelihood and along a line from there.

With the responsibilities γ of the E-step at θ, the bound of the log-likelihood ℓ is

    B(θ') = Σ_ij γ_ij log(π'_j N(x_i | μ'_j, σ'_j²)) − Σ_ij γ_ij log γ_ij <= ℓ(θ'),   B(θ) = ℓ(θ),

and the M-step goes to its maximum (Neal and Hinton, 1998, Learning in Graphical Models). So B(θ') is ℓ(θ) and the
difference of the first sum, which depends on the data by three sums for each component.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gmm1d import _engine
from gmm1d.components import Components, log_sum, responsibilities
from gmm1d.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

ALONG = np.linspace(-0.5, 2.0, 41)  # sixteenths, so that 0 and 1 are among them
FARTHEST = 60 * math.log(10)  # by which log stds change along a line: squares stay finite
FAINTEST = math.log(np.finfo(float).tiny)  # the log of a weight along a line


class Touch(NamedTuple):
    """The bound that touches the log-likelihood at θ: it depends on the data by three sums for each component.

    Components without weight are left out: no value is theirs, and steps do not change that.
    """

    theta: Array  # (3, k): weights, means, stds in the sample's units
    present: NDArray[np.bool_]  # which components they are
    log_likelihood: float
    sums: Array  # (3, k): of γ, γ u, γ u² over the points, where u = (x − mean) / std

    @classmethod
    def at(cls, theta: Array, sample: Sample) -> Touch:
        """Take the E-step at θ (3, k)."""
        present = theta[0] > 0
        theta = theta[:, present]
        values, counts = sample.nodes
        c = Components(*theta[:, :, None])
        gammas, u = counts * responsibilities(c, values), c.z(values)
        sums = [gammas.sum(axis=1), np.einsum("jx,jx->j", gammas, u)]
        sums.append(np.einsum("jx,jx,jx->j", gammas, u, u))
        return cls(theta, present, _log_likelihood(sample, *theta), np.stack(sums))

    def line(self, to: Array, along: Array) -> tuple[Array, Array, Array]:
        """Return changes of log weights, of means in stds, and of log stds (s, k) on the line to θ' (3, k)."""
        weights, means, stds = self.theta
        to = to[:, self.present]
        s = along[:, None]
        with np.errstate(divide="ignore"):
            logs = np.log(weights) + s * (np.maximum(np.log(to[0]), FAINTEST) - np.log(weights))
        logs = np.maximum(logs - log_sum(logs.T)[:, None], FAINTEST)
        spread = np.clip(s * np.log(to[2] / stds), -FARTHEST, FARTHEST)
        return logs - np.log(weights), s * ((to[1] - means) / stds), spread

    def bound(self, heavier: Array, shift: Array, wider: Array) -> Array:
        """Return B (s,) after such changes: ℓ(θ) and by how much Q(θ') differs from Q(θ)."""
        n, first, second = self.sums
        squares = (second - 2 * first * shift + n * shift**2) * np.exp(-2 * wider)
        gains = n * (heavier - wider) - (squares - second) / 2
        return np.asarray(self.log_likelihood + gains.sum(axis=1))

    def heights(self, sample: Sample, heavier: Array, shift: Array, wider: Array) -> Array:
        """Return ℓ (s,) after such changes."""
        weights, means, stds = self.theta
        thetas = (weights * np.exp(heavier), means + stds * shift, stds * np.exp(wider))
        return np.array([_log_likelihood(sample, *each) for each in zip(*thetas, strict=True)])


def along_climb(
    thetas: Array, shown: NDArray[np.intp], sample: Sample
) -> tuple[Array, Array, Array]:
    """Return what a replay tells of the points `shown` (F,) of a climb θ (m, 3, k), in the sample's units.

    Returns
    -------
    heights : ndarray (F,)
        ℓ.
    bounds : ndarray (F,)
        The bound for the responsibilities at the point before; NaN for the first.
    slices : ndarray (2, F − 1, 41)
        ℓ, and the bound that touches it, along the lines to the next points.

    Raises
    ------
    InputError
        If the data are none that such a climb could be of.
    """
    touches = {t: Touch.at(thetas[t], sample) for t in {*shown, *(shown[1:] - 1)}}
    heights = np.array([touches[t].log_likelihood for t in shown])
    if not np.isfinite(heights).all():
        raise InputError("the data are out of all proportion to the climb: give those of the fit")
    bounds = [touches[t - 1].bound(*touches[t - 1].line(thetas[t], np.ones(1))) for t in shown[1:]]
    slices = np.empty((2, len(shown) - 1, ALONG.size))
    for i, t in enumerate(shown[:-1]):
        line = touches[t].line(thetas[t + 1], ALONG)
        slices[:, i] = touches[t].heights(sample, *line), touches[t].bound(*line)
    slices[0][:, ALONG == 0] = heights[:-1, None]  # not once more, with another rounding
    return heights, np.concatenate([[np.nan], *bounds]), slices


def _log_likelihood(sample: Sample, weights: Array, means: Array, stds: Array) -> float:
    """Return that of the nodes, the parameters being in their units, in units of the data."""
    sums = _engine.em_sums(*sample.nodes, 0.0, 1.0, weights, means, stds)
    return float(sums[0]) - sample.units[2]
