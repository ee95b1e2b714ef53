"""Sums over the components of a mixture: densities, tails, moments, entropy; validates nothing."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gmm1d import special

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.intp]
    Number = TypeVar("Number", bound=np.generic)

EPS = float(np.finfo(float).eps)
LARGEST = float(np.finfo(float).max)
LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
FAR = 1e50  # a point further away, in standard deviations, is drawn in to this distance
CUT = 1e60  # the fifth power of a distance cut here stays finite
BLOCK = 1 << 15  # numbers in one temporary array: 256 kB, a handful of which stay in the cache

NODES = 20  # Gauss-Legendre nodes per panel of the entropy
PANEL = 0.5  # width of a panel in standard deviations
REACH = 9.5  # beyond so many standard deviations a component has 2e-21 of its weight


class Components(NamedTuple):
    """Columns (k, 1) of the components with positive weight, in order of their means."""

    w: FloatArray
    mu: FloatArray
    s: FloatArray

    def mirrored(self) -> Components:
        """Return the components of -X."""
        return Components(self.w[::-1], -self.mu[::-1], self.s[::-1])

    def merged(self) -> Components:
        """Return the same density with identical components added together."""
        shape, inverse = np.unique(np.hstack((self.mu, self.s)), axis=0, return_inverse=True)
        weights = np.bincount(inverse.ravel(), self.w[:, 0]).astype(float)
        return Components(weights[:, None], shape[:, :1], shape[:, 1:])

    def z(self, x: FloatArray) -> FloatArray:
        """Distances (k, n) of the points (n,) from the means, in standard deviations."""
        with np.errstate(over="ignore"):
            return np.asarray((x - self.mu) / self.s)


def in_blocks(
    function: Callable[[FloatArray], NDArray[Number]], x: FloatArray, k: int
) -> NDArray[Number]:
    """Apply an elementwise function to x (n,) in blocks whose (k, block) arrays fit the cache."""
    block = max(BLOCK // k, 64)
    if x.size <= block:
        return function(x)
    return np.concatenate([function(x[i : i + block]) for i in range(0, x.size, block)])


def log_sum(terms: FloatArray) -> FloatArray:
    """Logarithm of Σ_j exp(terms_j) over the rows of (k, n), where -inf stands for 0."""
    peak = np.maximum(terms.max(axis=0), -LARGEST)
    with np.errstate(divide="ignore"):
        logs: FloatArray = peak + np.log(np.exp(terms - peak).sum(axis=0))
    return logs


def bounded(*z: FloatArray) -> tuple[FloatArray, ...]:
    """Draw distances (k, n) beyond 1e50 nearer in proportion, so that powers stay finite."""
    cut = [np.clip(each, -LARGEST, LARGEST) for each in z]
    near = np.min([np.abs(each).min(axis=0) for each in cut], axis=0)
    scale = FAR / np.maximum(near, FAR)
    return tuple(np.clip(each * scale, -CUT, CUT) for each in cut)


def relative_logs(z: FloatArray, log_height: FloatArray) -> FloatArray:
    """log_height_j - z_j²/2 (k, n) less the largest of each point, for z that are `bounded`."""
    size = np.abs(z)
    near = size.min(axis=0)
    logs = log_height - 0.5 * ((size - near) * (size + near))
    return np.asarray(logs - logs.max(axis=0))


def responsibilities(c: Components, x: FloatArray) -> FloatArray:
    """γ_j (k, n) = w_j N(x | mu_j, s_j²) / Σ_l w_l N(x | mu_l, s_l²)."""
    share = np.exp(relative_logs(bounded(c.z(x))[0], np.log(c.w) - np.log(c.s)))
    return np.asarray(share / share.sum(axis=0))


def most_likely(c: Components, x: FloatArray) -> IntArray:
    """Return the number (n,) of the most likely component, the first of equals."""
    best: IntArray = responsibilities(c, x).argmax(axis=0)
    return best


def log_density(c: Components, x: FloatArray, unit: float = 1.0) -> FloatArray:
    """Logarithm of Σ_j w_j N(x | mu_j, s_j²) of x (n,), a density per so many units of x."""
    z = c.z(x)
    with np.errstate(over="ignore"):
        terms = np.log(c.w) - np.log(c.s / unit) - 0.5 * z * z
    return log_sum(terms) - LOG_ROOT_2PI


def density(c: Components, x: FloatArray) -> FloatArray:
    """Density of x (n,); a unit near the stds keeps every factor in float64 while it is itself."""
    unit = 2.0 ** np.round(np.log2(c.s).mean())
    root = np.exp(0.5 * log_density(c, x, unit))
    values: FloatArray = root / unit * root
    return values


def cumulative(c: Components, x: FloatArray, side: int = 1) -> FloatArray:
    """P(X <= x) for side = 1, P(X >= x) for side = -1; small ones to full relative accuracy."""
    z = side * c.z(x)
    tail = c.w * special.ndtr(-np.abs(z))
    rest = c.w - tail
    lower = np.where(z < 0, tail, rest).sum(axis=0)
    upper = np.where(z < 0, rest, tail).sum(axis=0)
    return np.asarray(np.where(lower <= upper, lower, 1 - upper), dtype=float)


def log_cumulative(c: Components, x: FloatArray, side: int = 1) -> FloatArray:
    """Logarithm of `cumulative`: log Σ_j w_j Φ(z_j), or log(1 - the other tail) if less."""
    upper = cumulative(c, x, -side)
    lower = log_sum(np.log(c.w) + special.log_ndtr(side * c.z(x)))
    return np.where(upper < 0.5, np.log1p(-np.minimum(upper, 0.5)), lower)


class Moments(NamedTuple):
    """Mean, standard deviation, skewness and excess kurtosis."""

    mean: float
    std: float
    skewness: float
    kurtosis: float


def moments(c: Components) -> Moments:
    """Moments from distances to the heaviest component, so that an offset costs no digits."""
    centre = c.mu[c.w.argmax()]
    gap = c.mu - centre
    shift = (c.w * gap).sum()
    scale = max(float(c.s.max()), float(np.abs(gap - shift).max()))
    s, d = c.s / scale, (gap - shift) / scale
    root = math.sqrt((c.w * (s * s + d * d)).sum())
    s, d = s / root, d / root
    skewness = (c.w * d * (3 * s * s + d * d)).sum()
    fourth = (c.w * (3 * s**4 + 6 * s * s * d * d + d**4)).sum()
    return Moments(float(centre[0] + shift), scale * root, float(skewness), float(fourth) - 3)


def entropy(c: Components) -> float:
    """-∫ f log f = -Σ_j w_j ∫ φ(t) log f(mu_j + s_j t) dt, by Gauss-Legendre quadrature over t.

    A panel is at most about half a standard deviation wide of every component that matters in it:
    the singularities of log f, complex zeros of f between two components, are well outside. The
    coordinates are those of one component, so that a large offset costs no digits.
    """
    c = c.merged()
    nodes, node_weights = _gauss_legendre()
    unit = float(c.s.max())
    height = np.log(c.w) - np.log(c.s / unit)
    total = 0.0
    for w, mu, s in zip(*(column[:, 0] for column in c), strict=True):
        with np.errstate(over="ignore"):
            offset = np.clip((mu - c.mu) / c.s, -CUT, CUT)
        ratio = s / c.s
        cuts = _panels(offset, ratio)
        half = 0.5 * np.diff(cuts)
        t = ((cuts[:-1] + half)[:, None] + half[:, None] * nodes).ravel()
        density = in_blocks(partial(_local, height, offset, ratio), t, c.w.size)
        share = np.exp(-0.5 * t * t - LOG_ROOT_2PI) * (half[:, None] * node_weights).ravel()
        total += w * float((share * (LOG_ROOT_2PI - density)).sum())
    return total + math.log(unit)


def _local(height: FloatArray, offset: FloatArray, ratio: FloatArray, t: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        return log_sum(height - 0.5 * np.square(offset + ratio * t))


@cache
def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    return np.polynomial.legendre.leggauss(NODES)


def _panels(offset: FloatArray, ratio: FloatArray) -> FloatArray:
    """Return ends of panels in t on [-9.5, 9.5] that resolve every clearly narrower component.

    Component i is at z = offset_i + ratio_i t.
    """
    grid = np.arange(-REACH, REACH + PANEL, PANEL)
    narrower = ratio[:, 0] > 1.5
    cuts = ((grid - offset[narrower]) / ratio[narrower]).ravel()
    return np.unique(np.concatenate((grid, cuts[np.abs(cuts) < REACH])))
