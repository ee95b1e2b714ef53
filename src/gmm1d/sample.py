"""``Sample``: validated observations with optional weights, a centre and a unit; it fits nothing.

What counts as a column of numbers stands in `gmm1d.columns`, what stands for many of them in
`gmm1d.sketch`.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from gmm1d import _engine
from gmm1d.columns import check_total, column, refuse_faults, weights_column
from gmm1d.errors import InputError, ScaleError
from gmm1d.formatting import number
from gmm1d.frames import library_of
from gmm1d.frozen import Frozen, guarded, made
from gmm1d.progress import watched
from gmm1d.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gmm1d.columns import Column

Array: TypeAlias = npt.NDArray[np.float64]
Nodes: TypeAlias = tuple[Array, Array]

EXACT = 20_000  # of more points, the nodes of a sketch stand for them
LEAST, MOST = 2.0, 2.0**53  # of the sum of weights that are frequencies
PART = 2**27  # points read between two looks at the progress bar


@dataclass(frozen=True, eq=False, repr=False)
class Sample(Frozen):
    """Observations with optional weights, in the caller's buffer, with a centre and a unit.

    Everything downstream works with ``(x - centre) / unit``: with the nodes, or computed as the
    points are read. Build one with `Sample.of`.

    Attributes
    ----------
    points : ndarray (m,) or None
        The finite observations: the caller's own buffer where the engine reads its type (float64,
        float32 and whole numbers; any stride, never modified). None if there was only a sketch.
    weights : ndarray (m,) or None
        Weights, not negative; None means one each. Up to 20 000 points none of them is zero.
    n : float
        The sum of the weights, or m.
    low, high : float
        The smallest and the largest point of positive weight.
    centre : float
        The median.
    unit : float
        The power of two just below the interquartile range, or below the standard deviation where
        that is zero; for constant data the one just below their magnitude.
    nodes : (ndarray (d,), ndarray (d,))
        Standardised values, ascending and distinct, and their positive counts, which add up to n:
        of all points up to 20 000, those of the sketch beyond.
    sketch : Sketch or None
        What stands for more than 20 000 points, made in the one reading of them.
    library : str or None
        The name of the library whose column the data were, if it makes frames, too.

    Notes
    -----
    Median and quartiles are the smallest nodes with a half, a quarter, three quarters of the
    weight at or below them.
    """

    points: Column | None
    weights: Column | None
    n: float
    low: float
    high: float
    centre: float
    unit: float
    nodes: Nodes
    sketch: Sketch | None
    library: str | None = None

    @classmethod
    def of(
        cls,
        data: object,
        sample_weight: object = None,
        *,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> Sample:
        """Validate `data` and `sample_weight`; a Sample passes through.

        Parameters
        ----------
        data : column of m numbers, Sketch, or Sample
            What `gmm1d.columns` takes; missing values are refused, never dropped.
        sample_weight : column of m numbers, optional
            How often each value counts: finite numbers >= 0, not all zero.
        threads : int, optional
            By default as many as there are processors; the result has the same bits for any number.
        progress : bool, optional
            As in `gmm1d.fit`, where there are more than 2**27 points.

        Raises
        ------
        InputError
            If either is not such a column; the sentence names the first offending index.
        ScaleError
            If the spread of the data, or its square, leaves the range of float64.
        """
        if isinstance(data, Sample | Sketch):
            if sample_weight is not None:
                kind = type(data).__name__
                raise InputError(
                    f"sample_weight came with a {kind}, which has its own weights: "
                    f"hand both to Sample.of(data, sample_weight) instead"
                )
            return data if isinstance(data, Sample) else cls._of_sketch(copy(data))
        points = column(data)
        m = points.size
        weights = None if sample_weight is None else weights_column(sample_weight, m)
        if m > EXACT:
            read = _read(points, weights, threads, progress)
            return cls._of_sketch(read, points, weights, library_of(data))
        return cls._of_few(points, weights, library_of(data))

    @classmethod
    def _of_few(cls, points: Column, weights: Column | None, library: str | None) -> Sample:
        """Take every point for what it is."""
        ordered = points
        if weights is None:  # NumPy's sort is the fastest
            ordered = points.copy()
            ordered.sort()
        found = _engine.standardise(ordered, weights)
        if isinstance(found, int):
            refuse_faults(points, weights)
        values, counts, n, low, high, centre, unit = found
        if weights is not None:
            check_total(n, points.size)
            if not weights.all():
                points, weights = points[weights > 0], weights[weights > 0]
        _check_scale(low, high, centre, unit)
        return made(
            cls,
            points=guarded(points),
            weights=guarded(weights),
            n=n,
            low=low,
            high=high,
            centre=centre,
            unit=unit,
            nodes=guarded((values, counts)),
            sketch=None,
            library=library,
        )

    @classmethod
    def _of_sketch(
        cls,
        sketch: Sketch,
        points: Column | None = None,
        weights: Column | None = None,
        library: str | None = None,
    ) -> Sample:
        """Take the nodes of the sketch for its points."""
        if sketch.size == 0:
            raise InputError("no data: the Sketch is empty, add numbers to it")
        check_total(sketch.n, sketch.size)
        low, high = sketch.low, sketch.high
        found = _engine.standardise(*sketch.nodes(0.0, 1.0))
        assert not isinstance(found, int)
        *_, centre, unit = found
        _check_scale(low, high, centre, unit)
        nodes = guarded(sketch.nodes(centre, unit))
        points, weights = guarded(points), guarded(weights)
        return cls(points, weights, sketch.n, low, high, centre, unit, nodes, sketch, library)

    def __repr__(self) -> str:
        """Say how many points there are, between what values."""
        weight = "" if self.n == self.size else f" of total weight {number(self.n)}"
        points = "1 point" if self.size == 1 else f"{self.size} points"
        return f"Sample({points}{weight} from {number(self.low)} to {number(self.high)})"

    @property
    def size(self) -> int:
        """The number m of points."""
        if self.points is not None:
            return self.points.size
        assert self.sketch is not None
        return self.sketch.size

    @property
    def readable(self) -> bool:
        """Whether the points can be read again."""
        return self.points is not None or getattr(self.sketch, "_read", None) is not None

    @property
    def constant(self) -> bool:
        """Whether all points are equal."""
        return self.low == self.high

    @cached_property
    def std(self) -> float:
        """The maximum-likelihood standard deviation: sqrt(sum_i w_i (x_i - mean)**2 / n)."""
        return self.unit * _engine.moments(*self.nodes)[1]

    @property
    def units(self) -> tuple[float, float, float]:
        """Centre, unit, and by how much the log-likelihood of standardised points is higher, n log(unit)."""
        return self.centre, self.unit, self.n * math.log(self.unit)

    @property
    def total_remarks(self) -> list[str]:
        """What stands in the way of a fit if the weights are no frequencies; none if they may be."""
        said = f"the weights add up to {number(self.n, 12)}"
        if self.n < LEAST:
            advice = (
                "they say how often each value counts: multiply them by the number of observations"
            )
            return [f"{said}, but {advice}"]
        if self.n > MOST:
            advice = "rounding may hide where the optimum is: divide them by a power of ten"
            return [f"{said}, and beyond 2**53 {advice}"]
        return []

    def refined(self, weights: Array, means: Array, stds: Array, threads: int) -> Sample:
        """Read the points again, on leaves that are finer where this mixture asks for it."""
        assert self.sketch is not None
        if self.points is None:
            assert self.sketch._read is not None
            finer = self.sketch._read(self.sketch, (weights, means, stds))
        else:
            again = self.sketch.again(weights, means, stds)
            assert again is not None
            finer = again.add(self.points, self.weights, threads=threads)
        nodes = guarded(finer.nodes(self.centre, self.unit))
        return replace(self, nodes=nodes, sketch=finer)

    def has_distinct(self, k: int) -> bool:
        """Say whether there are at least `k` nodes: different values, or what stands for them."""
        return k <= self.nodes[0].size


def _read(
    points: Column, weights: Column | None, threads: int | None, progress: bool | None
) -> Sketch:
    """Sketch many points, part by part where they are so many that it lasts."""
    sketch = Sketch()
    parts: Iterable[int] = range(0, points.size, PART)
    if points.size > PART:
        parts = watched(parts, f"parts of {PART} values", progress)
    for begin in parts:
        part = slice(begin, begin + PART)
        try:
            sketch.add(points[part], None if weights is None else weights[part], threads=threads)
        except InputError:
            if points.size > PART and _has_faults(
                points[part], None if weights is None else weights[part]
            ):
                refuse_faults(points, weights)  # which knows the place among all of them
            raise
    return sketch


def _has_faults(points: Column, weights: Column | None) -> bool:
    if not np.isfinite(points).all():
        return True
    return weights is not None and not (np.isfinite(weights) & (weights >= 0)).all()


def _check_scale(low: float, high: float, centre: float, unit: float) -> None:
    """Refuse data whose spread, or what is standardised by the unit, has no square that is a normal float64."""
    spread = high - low
    if unit == 0 and spread >= _engine.SMALLEST:
        raise InputError(
            f"all values but those of vanishing weight equal {number(centre, 17)}: leave the others out"
        )
    for extent in (spread, unit):
        if extent > _engine.LARGEST:
            raise ScaleError(
                f"the data spread over {number(extent)}, too far for its square to be a float64: "
                "divide them by a power of ten"
            )
        if spread > 0 and extent < _engine.SMALLEST:
            raise ScaleError(
                f"the data have a spread near {number(extent)}, too small for its square to be a "
                "normal float64: multiply them by a power of ten"
            )
    if spread / unit > _engine.LARGEST:
        raise ScaleError(
            f"the data spread over {number(spread)}, but half of them over about {number(unit)}, "
            "too small a part for its square to be a float64: look at the extreme values"
        )
