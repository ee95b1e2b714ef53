"""``Sample``: validated observations with optional weights, a centre and a unit; it fits nothing.

What counts as a column of numbers stands in `gmm1d.columns`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from gmm1d.columns import column, extremes, refuse
from gmm1d.errors import InputError, ScaleError
from gmm1d.formatting import number

if TYPE_CHECKING:
    from collections.abc import Callable

Array: TypeAlias = npt.NDArray[np.float64]

PILOT = 20_000  # points from which centre and unit are taken exactly; of more, so many are taken
GOLDEN = (math.sqrt(5) - 1) / 2  # a stride of this part of a circle meets no period of the data
BLOCK = 16_384  # points of one temporary: 128 kB, which stays in the cache
SMALLEST, LARGEST = 2.0**-511, 2.0**511  # their squares are normal float64


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """Observations with optional weights, in the caller's buffer, with a centre and a unit.

    Everything downstream works with ``(x - centre) / unit``, computed as the points are read.
    Build one with `Sample.of`.

    Attributes
    ----------
    points : ndarray (m,)
        The finite observations: the caller's own buffer where that is float64 (any stride, never
        modified), without the points of zero weight.
    weights : ndarray (m,) or None
        Positive weights; None means one each.
    n : float
        The sum of the weights, or m.
    low, high : float
        The smallest and the largest point.
    centre : float
        The median, a data value.
    unit : float
        The power of two just below the interquartile range, or below the standard deviation where
        that is zero; for constant data the one just below their magnitude.

    Notes
    -----
    Median and quartiles are the smallest values with a half, a quarter, three quarters of the
    weight at or below them: exact up to 20 000 points, those of every (m / 20 000)-th point beyond.
    """

    points: Array
    weights: Array | None
    n: float
    low: float
    high: float
    centre: float = field(init=False)
    unit: float = field(init=False)

    @classmethod
    def of(cls, data: object, sample_weight: object = None) -> Sample:
        """Validate `data` and `sample_weight`; a Sample passes through.

        Parameters
        ----------
        data : column of m numbers, or Sample
            What `gmm1d.columns` takes; missing values are refused, never dropped.
        sample_weight : column of m numbers, optional
            Frequencies, or any finite numbers >= 0 that are not all zero.

        Raises
        ------
        InputError
            If either is not such a column; the sentence names the first offending index.
        ScaleError
            If the spread of the data, or its square, leaves the range of float64.
        """
        if isinstance(data, Sample):
            if sample_weight is not None:
                raise InputError(
                    "sample_weight came with a Sample, which has its own weights: "
                    "hand both to Sample.of(data, sample_weight) instead"
                )
            return data
        points = column(data)
        low, high = extremes(points)
        if sample_weight is None:
            return cls(points, None, float(points.size), low, high)
        weights, n = _weights(sample_weight, points.size)
        if not weights.all():
            points, weights = points[weights > 0], weights[weights > 0]
            low, high = extremes(points)
        return cls(points, weights, n, low, high)

    def __post_init__(self) -> None:
        """Find centre and unit, and guard the caller's buffers."""
        for name in ("points", "weights"):
            if getattr(self, name) is not None:
                guarded = getattr(self, name).view()
                guarded.flags.writeable = False
                object.__setattr__(self, name, guarded)
        values, weights = self._pilot
        shares = np.cumsum(weights)
        ranks = np.searchsorted(shares, shares[-1] * np.array([0.25, 0.5, 0.75]))
        lower, middle, upper = (float(q) for q in values[ranks])
        object.__setattr__(self, "centre", middle)
        if self.constant:
            magnitude = abs(middle) if middle else 1.0
            unit = min(max(_power_of_two(magnitude), SMALLEST), LARGEST)
        else:
            _check_scale(self.high - self.low)
            unit = _power_of_two((upper - lower) or self.std)
            _check_scale(unit)
            _check_ratio(self.high - self.low, unit)
        object.__setattr__(self, "unit", unit)

    def __repr__(self) -> str:
        """Say how many points there are, between what values."""
        weight = "" if self.weights is None else f" of total weight {number(self.n)}"
        points = "1 point" if self.points.size == 1 else f"{self.points.size} points"
        return f"Sample({points}{weight} from {number(self.low)} to {number(self.high)})"

    @property
    def constant(self) -> bool:
        """Whether all points are equal."""
        return self.low == self.high

    @cached_property
    def std(self) -> float:
        """The maximum-likelihood standard deviation: sqrt(sum_i w_i (x_i - mean)**2 / n).

        Two passes, in units of the largest distance from the centre: nothing overflows or cancels.
        """
        scale = _power_of_two(max(self.high - self.centre, self.centre - self.low))

        def mean(power: Callable[[Array], Array]) -> float:
            """Average a function of the scaled deviations, block by block."""
            sums = []
            for start in range(0, self.points.size, BLOCK):
                block = slice(start, start + BLOCK)
                shares = 1 / self.n if self.weights is None else self.weights[block] / self.n
                values = power((self.points[block] - self.centre) / scale)
                sums.append(float(np.sum(values * shares)))
            return math.fsum(sums)

        offset = mean(lambda d: d)
        return scale * math.sqrt(mean(lambda d: (d - offset) ** 2))

    def pilot(self) -> tuple[Array, Array]:
        """Return distinct standardised values, ascending, with their total weights.

        Of all points up to 20 000, of 20 000 evenly spread ones beyond; the weights then add up to
        the weight of the points taken.
        """
        values, weights = self._pilot
        values = (values - self.centre) / self.unit + 0.0  # no negative zero
        first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
        return values[first], np.add.reduceat(weights, first)

    def has_distinct(self, k: int) -> bool:
        """Say whether at least `k` different values occur, reading no further than needed."""
        if k <= 2 or k > self.points.size:
            return k <= 1 or (k == 2 and not self.constant)
        found = np.unique(self.points[:BLOCK])
        for start in range(BLOCK, self.points.size, BLOCK):
            if found.size >= k:
                break
            found = np.unique(np.append(found, self.points[start : start + BLOCK]))
        return found.size >= k

    @cached_property
    def _pilot(self) -> tuple[Array, Array]:
        """The points of the pilot, ascending, and the weight of each."""
        taken = _pilot_index(self.points.size)
        values = self.points[taken] + 0.0  # a copy, without negative zeros
        if self.weights is None:
            values.sort()
            return values, np.ones(values.size)
        weights = self.weights[taken]
        order = np.lexsort((weights, values))  # ties by weight: the points' order leaves no trace
        return values[order], weights[order]


def _pilot_index(m: int) -> slice | npt.NDArray[np.int64]:
    """Return which of m points the pilot takes: all, or those at a fixed stride around the circle of indices.

    Strides of the golden section spread evenly (Weyl), and do not fall in step with hours or weeks.
    """
    if m <= PILOT:
        return slice(None)
    stride = round(m * GOLDEN)
    while math.gcd(stride, m) > 1:
        stride += 1
    return np.sort(np.arange(PILOT) * stride % m)


def _power_of_two(value: float) -> float:
    """Return the largest power of two that is not above a positive value."""
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


def _check_scale(spread: float) -> None:
    """Refuse a spread whose square is no normal float64."""
    if spread > LARGEST:
        raise ScaleError(
            f"the data spread over {number(spread)}, too far for its square to be a float64: "
            "divide them by a power of ten"
        )
    if spread < SMALLEST:
        raise ScaleError(
            f"the data have a spread near {number(spread)}, too small for its square to be a "
            "normal float64: multiply them by a power of ten"
        )


def _check_ratio(spread: float, unit: float) -> None:
    """Refuse data of which a standardised value has no square."""
    if spread / unit > LARGEST:
        raise ScaleError(
            f"the data spread over {number(spread)}, but half of them over about {number(unit)}, "
            "too small a part for its square to be a float64: look at the extreme values"
        )


def _weights(sample_weight: object, m: int) -> tuple[Array, float]:
    """Validate the weights of m points; return them and their sum."""
    weights = column(sample_weight, "sample_weight")
    if weights.size != m:
        raise InputError(
            f"sample_weight of {weights.size} values for {m} points: give one per point"
        )
    low, high = extremes(weights, "sample_weight")
    if low < 0:
        negative = np.flatnonzero(weights < 0)
        refuse("sample_weight with a negative value", negative, m, "give numbers >= 0")
    with np.errstate(over="ignore"):
        n = float(np.sum(weights))
    if high == 0:
        raise InputError(f"sample_weight is zero for all {m} points: give some of them weight")
    if not np.finfo(np.float64).tiny <= n < math.inf:
        raise InputError(f"sample_weight adds up to {number(n)}, no normal float64: rescale it")
    return weights, n
