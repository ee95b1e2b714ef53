"""Where a mixture's density turns, crosses a level or changes hands, exactly. Validates nothing."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import special
from gmm1d.components import (
    EPS,
    LARGEST,
    LOG_ROOT_2PI,
    Components,
    bounded,
    cumulative,
    in_blocks,
    log_density,
    log_sum,
    most_likely,
    relative_logs,
    responsibilities,
)
from gmm1d.quantiles import find_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.components import FloatArray, IntArray


MOST_TERMS = 1 << 22  # a search for turning points that needs more is lost in rounding noise


def boundaries(c: Components) -> FloatArray:
    """Points, ascending, where the most likely component changes.

    With t = (x - mu_i) / s_i for the narrower component i of a pair, rho = s_i / s_j,
    delta = (mu_j - mu_i) / s_j and gain = log(w_i / w_j) + log(s_j / s_i), both are equally likely
    where

        (1 - rho²) t² + 2 rho delta t - delta² - 2 gain = 0,

    whose discriminant is delta² + 2 (1 - rho²) gain. Between neighbouring roots of all pairs one
    component is the most likely, so it is looked up once in each gap.
    """
    i, j = np.triu_indices(c.w.size, 1)
    i, j = np.where(c.s[i, 0] <= c.s[j, 0], (i, j), (j, i))
    w, mu, s = (column[:, 0] for column in c)
    with np.errstate(all="ignore"):
        rho = s[i] / s[j]
        delta = (mu[j] - mu[i]) / s[j]
        gain = np.log(w[i] / w[j]) + np.log(s[j] / s[i])
        square = (s[j] - s[i]) / s[j] * (1 + rho)
        part = np.sqrt(np.abs(2 * square * gain))
        size = np.abs(delta)
        root = np.where(
            gain >= 0, np.hypot(size, part), np.sqrt(size - part) * np.sqrt(size + part)
        )
        q = -(rho * delta + np.copysign(root, delta))
        t = np.concatenate((q / square, -(delta * (delta / q) + 2 * gain / q)))
        x = np.tile(mu[i], 2) + np.tile(s[i], 2) * t
    x = np.unique(x[np.isfinite(x)])
    if not x.size:
        return x
    below = min(x[0] - s.max(), mu[0], np.nextafter(x[0], -np.inf))
    above = max(x[-1] + s.max(), mu[-1], np.nextafter(x[-1], np.inf))
    probes = np.concatenate(([below], 0.5 * x[:-1] + 0.5 * x[1:], [above]))
    label = in_blocks(partial(most_likely, c), probes, w.size)
    return np.asarray(x[label[:-1] != label[1:]])


def turning_points(c: Components) -> tuple[FloatArray, FloatArray]:
    """Modes and antimodes, ascending: every change of sign of the density's derivative.

    All lie between the outermost means. That interval is halved until each piece provably holds at
    most one (`_settled`), or the derivative is nothing but rounding noise all over the piece.
    """
    c = c.merged()
    knots = np.concatenate((c.mu, c.mu - c.s, c.mu + c.s)).ravel()
    knots = np.unique(np.clip(knots, c.mu[0], c.mu[-1]))
    ends = [knots]
    a, b = knots[:-1], knots[1:]
    while 0 < a.size * c.w.size <= MOST_TERMS:
        middle = 0.5 * a + 0.5 * b
        unsettled = ~_settled(c, a, b) & (a < middle) & (middle < b)
        a, middle, b = a[unsettled], middle[unsettled], b[unsettled]
        ends.append(middle)
        a, b = np.concatenate((a, middle)), np.concatenate((middle, b))
    return _sign_changes(c, np.unique(np.concatenate(ends)))


def _z(c: Components, x: FloatArray) -> FloatArray:
    return bounded(c.z(x))[0]


def _sign_changes(c: Components, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the turning points, given points x between which the derivative has at most one zero."""
    sign = _sign(c, _z(c, x))
    # the density rises left of all means and falls right of them
    x, sign = np.concatenate((x[:1], x, x[-1:])), np.concatenate(([1.0], sign, [-1.0]))
    known = np.flatnonzero(sign)
    change = np.flatnonzero(sign[known[:-1]] != sign[known[1:]])
    i, j = known[change], known[change + 1]
    # a run of zeros between is one point, the middle of the run
    found = 0.5 * x[i + 1] + 0.5 * x[j - 1]
    between = j == i + 1
    i, j = i[between], j[between]
    found[between] = find_root(lambda at, n: _slope_value(c, at, sign[j[n]]), x[i], x[j])
    return found[::2], found[1::2]


def _logs(c: Components, z: FloatArray) -> FloatArray:
    """Logarithms (k, n) of the terms w_j φ(z_j) / s_j²; the derivative is -Σ_j terms_j z_j."""
    return relative_logs(z, np.log(c.w) - 2 * np.log(c.s))


def _slope_value(
    c: Components, x: FloatArray, direction: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, slope and noise for `find_root` of the derivative, turned so that it rises."""
    z = _z(c, x)
    e = np.exp(_logs(c, z))
    e /= e.sum(axis=0)
    value = direction * -(e * z).sum(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = direction * (e * (z * z - 1) / c.s).sum(axis=0)
        noise = EPS * (1 + 4 * (e * np.abs(z) * (1 + z * z)).sum(axis=0))
    return value, slope, noise


def _settled(c: Components, a: FloatArray, b: FloatArray) -> NDArray[np.bool_]:
    """Whether [a, b] surely holds at most one zero of the derivative, or is all noise.

    Taylor's formula about the middle x, in units of the half width r, with the Hermite polynomials
    He_n and rho_j = r / s_j: f'(x + r d) ∝ c0 + c1 d + c2 d²/2 + c3 d³/6 + R d⁴/24 for |d| <= 1,
    c_n = Σ_j (-1)^(n+1) terms_j He_(n+1)(z_j) rho_j^n.
    """
    with np.errstate(all="ignore"):
        z = _z(c, 0.5 * a + 0.5 * b)
        rho = 0.5 * (b / c.s - a / c.s)
        logs = _logs(c, z)
        e, y, size = np.exp(logs), z * z, np.abs(z)
        c0 = np.abs((e * z).sum(axis=0))
        c1 = np.abs((e * (y - 1) * rho).sum(axis=0))
        c2 = np.abs((e * z * (y - 3) * rho**2).sum(axis=0))
        c3 = np.abs((e * ((y - 6) * y + 3) * rho**3).sum(axis=0))
        # |He_5| φ on the piece: at most the polynomial at its far end, the bell at its near end
        far, near = size + rho, np.maximum(size - rho, 0)
        bell = np.exp(logs + 0.5 * ((size - near) * (size + near)))
        rest = (bell * far * ((far**2 + 10) * far**2 + 15) * rho**4).sum(axis=0)
        blur = EPS * (8 * (1 + y) + 8 * c.w.size)
        noise = EPS * e.sum(axis=0) + (e * size * blur).sum(axis=0)
        change = c1 + c2 / 2 + c3 / 6 + rest / 24
        signed = c0 > change + noise
        monotone = c1 > c2 + c3 / 2 + rest / 6 + (e * (y + 1) * rho * blur).sum(axis=0)
        # noise: of the derivative, or because all distances from [a, b] are the same floats
        lost = (c0 + change <= noise) | (rho <= 2 * EPS * np.abs(c.z(a))).all(axis=0)
        settled: NDArray[np.bool_] = signed | monotone | lost | _signed(c, a, b)
    return settled


def _signed(c: Components, a: FloatArray, b: FloatArray) -> NDArray[np.bool_]:
    """Whether the ranges of the single terms over [a, b] already fix the sign of the derivative."""
    za, zb = bounded(c.z(a), c.z(b))
    signed: NDArray[np.bool_] = _sign(c, _highest(za, zb)) < 0
    return signed | (_sign(c, -_highest(-zb, -za)) > 0)


def _highest(za: FloatArray, zb: FloatArray) -> FloatArray:
    """Where -z φ(z) is largest on [za, zb]: it falls between -1 and 1 and rises elsewhere."""
    inner = za > 0
    low, high = np.where(inner, za, 1.0), np.where(inner, zb, 1.0)
    rises = np.log(high / low) < 0.5 * ((high - low) * (high + low))
    return np.where((zb <= -1) | (inner & rises), zb, np.maximum(za, -1.0))


def _sign(c: Components, z: FloatArray) -> FloatArray:
    """Sign (n,) of -Σ_j w_j z_j φ(z_j) / s_j² for z (k, n); 0 where rounding could decide it."""
    logs = _logs(c, z)
    with np.errstate(all="ignore"):
        terms = logs + np.log(np.abs(z))
        up = log_sum(np.where(z < 0, terms, -np.inf))
        down = log_sum(np.where(z > 0, terms, -np.inf))
        blur = EPS * (8 * (1 + np.abs(z).min(axis=0) ** 2) + 8 * c.w.size)
        clear = np.abs(np.exp(up) - np.exp(down)) > EPS * np.exp(logs).sum(axis=0)
        return np.where(clear & (np.abs(up - down) > blur), np.sign(up - down), 0.0)


class Levels:
    """Highest-density regions {x: f(x) > level}, between the turning points of the density f.

    Levels are logarithms; densities count x in units of the largest standard deviation.
    """

    def __init__(self, c: Components) -> None:
        self.c = c
        self.unit = float(c.s.max())
        self.modes, self.antimodes = turning_points(c)
        self.peaks, self.saddles = self.height(self.modes), self.height(self.antimodes)

    def height(self, x: FloatArray) -> FloatArray:
        """Logarithm of the density."""
        return log_density(self.c, x, self.unit)

    def hdr(self, p: float, low: float, high: float) -> FloatArray:
        """Intervals (m, 2), the smallest set of probability p (Hyndman, 1996, Am. Stat. 50:120).

        [low, high] is to leave (1 - p) / 4 on either side. At most as much within has a density
        below (1 - p) / 4 / (high - low): the level sought is above that.
        """
        width = max(high - low, 2 * np.spacing(max(abs(low), abs(high))))
        floor = np.array([math.log(0.25 * (1 - p)) - math.log(width) + math.log(self.unit)])
        ceiling = self.peaks.max(keepdims=True)
        level = find_root(
            lambda t, _: self._miss(float(t[0]), p), np.minimum(floor, ceiling), ceiling
        )
        return self.region(float(level[0]))

    def _miss(self, level: float, p: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """log(outside / (1 - p)), or log(p / inside) for p < 1/2, for `find_root`."""
        ends = self.region(level)
        a, b = ends.T
        z = _z(self.c, ends.ravel())
        with np.errstate(all="ignore"):
            # d inside / d level = -Σ f / |(log f)'| over the ends, known up to half a float
            pull = np.abs((responsibilities(self.c, ends.ravel()) * z / self.c.s).sum(axis=0))
            density = math.exp(level) / self.unit
            speed, step = density / pull, density * np.spacing(np.abs(ends.ravel()))
            if p < 0.5:
                part = self._mass(a, b).sum()
                value = np.log(p / part)
            else:
                part = cumulative(self.c, a[:1])[0] + cumulative(self.c, b[-1:], -1)[0]
                part += self._mass(b[:-1], a[1:]).sum()
                value = np.log(part / (1 - p))
            slope = speed.sum() / part
            noise = 4 * EPS * (1 + slope * abs(level)) + step.sum() / part
        # the slope is infinite at the level of a turning point, the noise is not
        return np.array([value]), np.array([slope]), np.array([min(0.01, noise)])

    def _mass(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """P(a < X < b), from the smaller tails."""
        za, zb = self.c.z(a), self.c.z(b)
        far = za > 0
        za, zb = np.where(far, -zb, za), np.where(far, -za, zb)
        return np.asarray((self.c.w * (special.ndtr(zb) - special.ndtr(za))).sum(axis=0))

    def region(self, level: float) -> FloatArray:
        """Intervals (m, 2) where the density exceeds the level, or the highest mode alone."""
        above = self.peaks > level
        if not above.any():
            return np.repeat(self.modes[self.peaks.argmax()], 2)[None, :]
        joined = (self.saddles >= level) & above[:-1] & above[1:]
        enters, leaves = above.copy(), above.copy()
        enters[1:] &= ~joined
        leaves[:-1] &= ~joined
        # every component's share of the density falls below level / k beyond these points
        excess = (
            np.log(self.c.w * self.c.w.size) - np.log(self.c.s / self.unit) - LOG_ROOT_2PI - level
        )
        reach = self.c.s * np.sqrt(2 * np.maximum(excess, 0)) * (1 + 4 * EPS)
        with np.errstate(over="ignore"):
            lowest = max(min(self.modes[0], (self.c.mu - reach).min()), -LARGEST)
            highest = min(max(self.modes[-1], (self.c.mu + reach).max()), LARGEST)
        floor = np.concatenate(([lowest], self.antimodes))[enters]
        ceiling = np.concatenate((self.antimodes, [highest]))[leaves]
        rising = self._crossing(level, floor, self.modes[enters], 1)
        falling = self._crossing(level, self.modes[leaves], ceiling, -1)
        return np.stack((rising, falling), axis=1)

    def _crossing(self, level: float, low: FloatArray, high: FloatArray, side: int) -> FloatArray:
        """Where the density crosses the level, once per bracket; side is the sign of its slope."""

        def excess(x: FloatArray, _: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
            height = self.height(x)
            pull = (responsibilities(self.c, x) * _z(self.c, x) / self.c.s).sum(axis=0)
            noise = np.full_like(x, 2 * EPS * (1 + abs(level)))
            return side * (height - level), -side * pull, noise

        return find_root(excess, low, high)
