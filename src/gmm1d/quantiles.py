"""The inverse of a mixture's distribution function: bracketed Newton steps; validates nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import special
from gmm1d.components import EPS, LARGEST, LOG_ROOT_2PI, Components, cumulative, in_blocks, log_sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gmm1d.components import FloatArray, IntArray

REACH = 8  # knots of the table reach so many standard deviations to either side of every mean
DENSITY = 16  # knots per standard deviation
TRUSTED = 1e-4  # a Halley step below this part of its cell, over which the density
TRUSTED_BEND = 3e-5  # changes by no more than this part, leaves an error below rounding


def find_root(
    function: Callable[[FloatArray, IntArray], tuple[FloatArray, FloatArray, FloatArray]],
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Find the root of an increasing function in each bracket by Newton steps, else by bisection.

    Parameters
    ----------
    function
        Called with points (m,) and the numbers (m,) of their brackets; returns the values there,
        the slopes and the rounding noise of the values. A value that is NaN counts as zero.
    low, high
        Brackets (n,), low <= root <= high.

    Returns
    -------
    (n,) points where the value is noise, or the sign changes before the neighbouring float.
    """
    a, b, index = low, high, np.arange(low.size)
    x = 0.5 * a + 0.5 * b
    step = np.full_like(x, np.inf)
    root = x.copy()
    turn = 0
    while index.size:
        value, slope, noise = function(x, index)
        root[index] = x
        a, b = np.where(value <= 0, x, a), np.where(value >= 0, x, b)
        first, last = np.nextafter(a, b), np.nextafter(b, a)
        # a step of two floats at least, so that the bracket closes behind a root
        with np.errstate(all="ignore"):
            least = 2 * np.spacing(np.abs(x))
            newton = x - np.sign(value) * np.maximum(np.abs(value / slope), least)
            inside = (newton >= a - least) & (newton <= b + least)
            newton = np.clip(newton, first, last)
        # and a quarter of the last at most; else the bracket is halved, by value or by rank
        good = inside & (np.abs(newton - x) <= 0.25 * step) & (slope > 0) & (slope < np.inf)
        middle = _middle_float(a, b) if turn % 2 else 0.5 * a + 0.5 * b
        following = np.where(good, newton, middle)
        open_ = (np.abs(value) > noise) & (first < b)
        step = np.abs(following - x)[open_]
        x, a, b, index = following[open_], a[open_], b[open_], index[open_]
        turn += 1
    return root


def _middle_float(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the float half way between a and b in the order of all floats."""
    i, j = _rank(a.view(np.int64)), _rank(b.view(np.int64))
    return _rank((i >> 1) + (j >> 1) + (i & j & 1)).view(np.float64)


def _rank(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits of floats to their rank among all floats, and back."""
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


class LowerQuantiles:
    """x with P(X <= x) = p for 0 < p <= 1/2; the upper half is the lower half of -X.

    A table of the distribution function, with knots at mu_j + t s_j for t = -8, …, 8, gives every p
    a cell and a cubic start in it; Halley steps solve, with left: mu_j <= x,

        U(x) - D(x) = 0,  U = Σ_right w_j Φ(z_j) + max(d, 0),  D = Σ_left w_j Φ(-z_j) + max(-d, 0),
        d = Σ_left w_j - p,

    which is P(X <= x) = p without the cancellation between far components. Where a cell does not
    resolve the tails (beyond the knots, in gaps), the bracketed Newton solves log U - log D = 0.
    """

    def __init__(self, c: Components) -> None:
        self.c = c
        t = np.arange(-REACH * DENSITY, REACH * DENSITY + 1) / DENSITY
        with np.errstate(over="ignore"):
            knots = c.mu + c.s * t
        ends = (np.nextafter(knots[:, 0], -np.inf), np.nextafter(knots[:, -1], np.inf))
        x = np.unique(np.clip(np.concatenate((knots.ravel(), *ends)), -LARGEST, LARGEST))
        cdf = in_blocks(lambda x: cumulative(c, x), x, c.w.size)
        last = int(np.argmax(cdf > 0.6)) + 1  # some knots beyond the median, whatever the rounding
        self.x, self.cdf = x[:last], np.maximum.accumulate(cdf[:last])
        self.unit = float(c.s.max())
        self.height = c.w * (self.unit / c.s) * math.exp(-LOG_ROOT_2PI)
        self.rank = np.arange(c.w.size)[:, None] + 0.5
        self.left_weight = np.array([math.fsum(c.w[:j, 0]) for j in range(c.w.size + 1)])
        self.n_left = np.searchsorted(c.mu[:, 0], self.x[:-1], side="right")
        self._cubics()

    def _cubics(self) -> None:
        """Tabulate x in each cell as a cubic of p, monotone after Fritsch and Carlson (1980)."""
        width = np.diff(self.x)
        rise = np.diff(self.cdf)
        density = in_blocks(lambda x: self._density(self.c.z(x))[0], self.x, self.c.w.size)
        with np.errstate(all="ignore"):
            chord = rise / (width / self.unit)
            first, second = np.fmin(chord / density[:-1], 3.0), np.fmin(chord / density[1:], 3.0)
        self.table = np.stack(
            (self.x[:-1], width, self.cdf[:-1], np.maximum(rise, 5e-324), first, second)
        )

    def _density(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Density and its derivative at z (k, n), x in units of the largest standard deviation."""
        with np.errstate(over="ignore", invalid="ignore"):
            bell = self.height * np.exp(-0.5 * z * z)
            slope = -(bell * z * (self.unit / self.c.s)).sum(axis=0)
        return bell.sum(axis=0), slope

    def __call__(self, p: FloatArray) -> FloatArray:
        """Quantiles (n,) of the probabilities (n,)."""
        return in_blocks(self._block, p, self.c.w.size)

    def _block(self, p: FloatArray) -> FloatArray:
        cell = np.searchsorted(self.cdf, p, side="right") - 1
        left, width, cdf, rise, first, second = self.table[:, np.maximum(cell, 0)]
        v = np.clip((p - cdf) / rise, 0, 1)
        u = 1 - v
        part = v * (v * (3 - 2 * v - u * second) + u * u * first)
        x: FloatArray = left + width * np.clip(part, 0, 1)
        right = self.x[np.maximum(cell, 0) + 1]
        todo = np.flatnonzero(cell >= 0)
        for _ in range(3):
            at = slice(None) if todo.size == p.size else todo
            new, trusted = self._halley(x[at], p[at], cell[at], width[at])
            new = np.clip(new, left[at], right[at])
            x[at], todo = new, todo[~trusted]
            if not todo.size:
                break
        rest = np.concatenate((todo, np.flatnonzero(cell < 0)))
        if rest.size:
            x[rest] = self._robust(p[rest])
        return x

    def _halley(
        self, x: FloatArray, p: FloatArray, cell: IntArray, width: FloatArray
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """One Halley step, and whether what is left of the error is rounding."""
        z = self.c.z(x)
        n_left = self.n_left[cell]
        tails = self.c.w * np.copysign(special.ndtr(-np.abs(z)), self.rank - n_left)
        density, slope = self._density(z)
        with np.errstate(all="ignore"):
            newton = ((self.left_weight[n_left] - p) + tails.sum(axis=0)) / density
            bend = newton * (slope / density)
            step = self.unit * (newton / (1 - 0.5 * np.clip(bend, -1, 1)))
            small = (np.abs(step) <= TRUSTED * width) & (np.abs(bend) <= TRUSTED_BEND)
            small |= np.abs(step) <= np.spacing(np.abs(x))
            following: FloatArray = x - step
        return following, small

    def _robust(self, p: FloatArray) -> FloatArray:
        """Quantiles by the bracketed Newton on log U - log D."""
        first = np.searchsorted(self.cdf, p * (1 - 8 * EPS), side="left") - 1
        after = np.searchsorted(self.cdf, p * (1 + 8 * EPS), side="right")
        # no component has more than p below the least of their quantiles
        with np.errstate(over="ignore"):
            tail = (self.c.mu + self.c.s * special.ndtri(p)).min(axis=0)
        beyond = np.minimum(tail - 8 * np.spacing(np.abs(tail)), self.x[0])
        low = np.where(first < 0, beyond, self.x[np.maximum(first, 0)])
        high = self.x[np.minimum(after, self.x.size - 1)]
        return find_root(lambda x, i: self._log_ratio(x, p[i]), low, high)

    def _log_ratio(self, x: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Value, slope and noise of log U - log D."""
        z = self.c.z(x)
        is_left = self.c.mu <= x
        surplus = self.left_weight[is_left.sum(axis=0)] - p
        with np.errstate(all="ignore"):
            tails = np.log(self.c.w) + special.log_ndtr(-np.abs(z))
            bells = np.log(self.c.w) - np.log(self.c.s) - 0.5 * z * z - LOG_ROOT_2PI
            constant = np.log(np.maximum([surplus, -surplus], 0))
            up, down = (
                np.logaddexp(part, log_sum(np.where(mask, tails, -np.inf)))
                for part, mask in zip(constant, (~is_left, is_left), strict=True)
            )
            slope = np.exp(log_sum(np.where(is_left, -np.inf, bells)) - up)
            slope += np.exp(log_sum(np.where(is_left, bells, -np.inf)) - down)
            noise = 2 * EPS * (1 + np.minimum(np.abs(up), np.abs(down)))
            return up - down, slope, noise


class Quantiles:
    """The whole inverse: its lower half from X, its upper half from -X."""

    def __init__(self, c: Components) -> None:
        self.lower, self.upper = LowerQuantiles(c), LowerQuantiles(c.mirrored())

    def ppf(self, q: FloatArray) -> FloatArray:
        """Return x (n,) with P(X <= x) = q, for q (n,) in [0, 1]."""
        return _two_halves(q, self.lower, self.upper)

    def isf(self, q: FloatArray) -> FloatArray:
        """Return x (n,) with P(X >= x) = q, for q (n,) in [0, 1]."""
        return -_two_halves(q, self.upper, self.lower)


def _two_halves(q: FloatArray, near: LowerQuantiles, far: LowerQuantiles) -> FloatArray:
    x = np.where(q > 0.5, np.inf, -np.inf)
    low, high = (q > 0) & (q <= 0.5), (q > 0.5) & (q < 1)
    if low.any():
        x[low] = near(q[low])
    if high.any():
        x[high] = -far(1 - q[high])  # 1 - q is exact here
    return x
