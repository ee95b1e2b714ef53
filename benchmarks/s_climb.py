"""Climbs on S = log-likelihood + 3/2 Σ log σ_j + Σ log π_j in plain NumPy, independent of the engine, to its finite optima.

EM's map on S, five times, then Newton's method in a trust region, with the analytic gradient and Hessian: those of the
log-likelihood and, because S is linear in log σ, two more terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

import gmm1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

C, D = 1.5, 1.0  # S = l + C Σ log σ + D Σ log π
EM_STEPS = 5
STEPS = 500  # Newton's, at most
STATIONARY = 1e-7  # of the scaled gradient, per value: what ends above is no optimum
QUARTER, HALF = (
    0.25,
    0.5,
)  # of the gap beside a tied value: a narrower component at it has collapsed


def value(x: Array, mixture: gmm1d.Mixture) -> float:
    """Return S of a mixture."""
    barrier = C * np.log(mixture.stds).sum() + D * np.log(mixture.weights).sum()
    return float(mixture.logpdf(x).sum() + barrier)


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
        None where a component sits on a tied value, narrower than a quarter of the gap beside it, where one is as wide
        as the range, or where the climb ended without an optimum.
    """
    data = Data.of(x)
    point = Point.of(data, start)
    for _ in range(EM_STEPS):
        point = point.em()
    end = _newton(point)
    if end is None or not end.inside or np.abs(end.gradient).max() > STATIONARY * data.n:
        return None
    mixture = gmm1d.Mixture(end.pi, data.centre + data.unit * end.mu, data.unit * end.s)
    return value(x, mixture), mixture


@dataclass(frozen=True)
class Data:
    """Distinct values, standardised, with their counts; and the tied ones among them with the gap beside each."""

    z: Array
    w: Array
    ties: Array
    gaps: Array
    centre: float
    unit: float

    @classmethod
    def of(cls, x: Array) -> Data:
        centre, unit = float(np.median(x)), float(x.std())
        values, counts = np.unique(x, return_counts=True)
        z = (values - centre) / unit
        apart = np.concatenate([[np.inf], np.diff(z), [np.inf]])
        tied = counts > 1
        gaps = np.minimum(apart[:-1], apart[1:])
        return cls(z, counts.astype(float), z[tied], gaps[tied], centre, unit)

    @property
    def n(self) -> float:
        return float(self.w.sum())

    @property
    def range(self) -> float:
        return float(self.z[-1] - self.z[0])


@dataclass(frozen=True)
class Point:
    """A point of the climb: weights, means and standard deviations of standardised data, and what a pass knows there."""

    data: Data
    pi: Array
    mu: Array
    s: Array

    @classmethod
    def of(cls, data: Data, start: gmm1d.Mixture) -> Point:
        pi = np.maximum(start.weights, 0.5 / data.n)
        mu, s = (start.means - data.centre) / data.unit, start.stds / data.unit
        return cls(data, pi / pi.sum(), mu, np.clip(s, 1e-12, data.range))

    @cached_property
    def _pass(self) -> tuple[float, Array, Array]:
        """The log-likelihood, z_ij and w_i r_ij, a row for every component (k, n)."""
        t = (self.data.z - self.mu[:, None]) / self.s[:, None]
        a = (np.log(self.pi) - np.log(self.s))[:, None] - t * t / 2
        m = a.max(axis=0)
        a = np.exp(a - m)
        total = a.sum(axis=0)
        level = float(self.data.w @ (m + np.log(total))) - self.data.n * np.log(2 * np.pi) / 2
        return level, t, a * (self.data.w / total)

    @cached_property
    def moments(self) -> Array:
        """Σ w r z^p for p = 0 … 4 (5, k)."""
        _, t, moment = self._pass
        found = [moment.sum(axis=1)]
        for _ in range(4):
            moment = moment * t
            found.append(moment.sum(axis=1))
        return np.array(found)

    @property
    def level(self) -> float:
        """S."""
        return self._pass[0] + C * float(np.log(self.s).sum()) + D * float(np.log(self.pi).sum())

    @property
    def inside(self) -> bool:
        """Whether no component has collapsed on a tied value or is as wide as the range."""
        if np.any(self.s >= self.data.range * (1 - 1e-9)):
            return False
        at = np.abs(self.mu[:, None] - self.data.ties) <= HALF * self.data.gaps
        return not np.any(at & (self.s[:, None] < QUARTER * self.data.gaps))

    def em(self) -> Point:
        """π = (N + D)/(n + k D), μ the mean and σ² = Σ r (x − μ)²/(N − C), no more than the range's square."""
        N, S1, S2 = self.moments[:3]
        n, k, most = self.data.n, self.pi.size, self.data.range**2
        shift = S1 / np.maximum(N, 1e-300)
        spread = self.s**2 * np.maximum(S2 - N * shift**2, 0)
        var = np.where(N > C, spread / np.where(N > C, N - C, 1), most)
        s = np.sqrt(np.clip(var, 1e-24, most))
        return Point(self.data, (N + D) / (n + k * D), self.mu + self.s * shift, s)

    @property
    def gradient(self) -> Array:
        """Of S in (log-odds of the weights, mean / std, log std) (3k,)."""
        N, S1, S2 = self.moments[:3]
        n, k = self.data.n, self.pi.size
        return np.concatenate([N + D - (n + k * D) * self.pi, S1, S2 - N + C])

    @property
    def hessian(self) -> Array:
        """Of S in the same coordinates (3k, 3k)."""
        _, t, wr = self._pass
        k, m = self.pi.size, self.moments
        v = wr / np.sqrt(self.data.w)
        v = np.concatenate([v, v * t, v * (t * t - 1)])
        h: Array = -v @ v.T
        at = np.arange(k)
        blocks = {
            (0, 0): m[0],
            (0, 1): m[1],
            (0, 2): m[2] - m[0],
            (1, 1): m[2] - m[0],
            (1, 2): m[3] - 3 * m[1],
            (2, 2): m[4] - 4 * m[2] + m[0],
        }
        for (a, b), diagonal in blocks.items():
            h[a * k + at, b * k + at] += diagonal
            if a != b:
                h[b * k + at, a * k + at] += diagonal
        h[:k, :k] -= (self.data.n + k * D) * (np.diag(self.pi) - np.outer(self.pi, self.pi))
        return h


@dataclass
class _Chart:
    """Flat coordinates around a point, in each of which EM's information there is 1; the last point that was looked at."""

    origin: Point
    last: Point | None = None
    seen: bytes = b""

    def __post_init__(self) -> None:
        p = self.origin
        self.unit = np.sqrt(np.maximum(p.data.n * np.concatenate([p.pi, p.pi, 2 * p.pi]), 0.1))

    def point(self, y: Array) -> Point:
        if self.last is None or y.tobytes() != self.seen:
            p, (e, m, t) = self.origin, np.split(y / self.unit, 3)
            eta = np.log(p.pi) + e
            pi = np.exp(eta - logsumexp(eta))
            self.last = Point(p.data, pi, p.mu + p.s * m, p.s * np.exp(np.clip(t, -60, 60)))
            self.seen = y.tobytes()
        return self.last

    def _scale(self, p: Point) -> Array:
        """Return the units, in the scaled coordinates of a point."""
        k = p.pi.size
        return np.concatenate([np.ones(k), self.origin.s / p.s, np.ones(k)]) / self.unit

    def _gauge(self, y: Array) -> Array:
        """Return what keeps the log-odds, of which a constant more changes nothing, where they are."""
        k = self.origin.pi.size
        gauge = np.zeros_like(y)
        gauge[:k] = y[:k].sum() / k
        return gauge

    def fall(self, y: Array) -> tuple[float, Array]:
        p = self.point(y)
        if not (p.inside and np.all(p.pi > 0) and np.isfinite(p.level)):
            return np.inf, np.zeros_like(y)
        gauge = self._gauge(y)
        return -p.level + float(gauge @ gauge) / 2, -p.gradient * self._scale(p) + gauge

    def curvature(self, y: Array) -> Array:
        p, k = self.point(y), self.origin.pi.size
        scale = self._scale(p)
        h = -p.hessian * np.outer(scale, scale)
        h[:k, :k] += 1 / k
        return h


def _newton(start: Point) -> Point | None:
    """Return the end of Newton's climb from a point, None where that is outside already."""
    if not start.inside:
        return None
    chart = _Chart(start)
    root = float(np.sqrt(start.data.n))
    with np.errstate(all="ignore"):
        end = minimize(
            chart.fall,
            np.zeros(3 * start.pi.size),
            jac=True,
            hess=chart.curvature,
            method="trust-exact",
            options={
                "initial_trust_radius": root / 10,
                "max_trust_radius": root,
                "gtol": 1e-9 * root,
                "maxiter": STEPS,
            },
        )
    return chart.point(end.x)
