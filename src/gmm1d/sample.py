"""``Sample``: validated observations with optional weights, a centre and a unit; it fits nothing.

What counts as a column of numbers stands in `gmm1d.columns`, what weights mean in `gmm1d.weighing`,
what stands for many points in `gmm1d.sketch`.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from gmm1d import _engine, weighing
from gmm1d.columns import check_scale, column, has_faults, refuse_faults
from gmm1d.errors import InputError
from gmm1d.formatting import number
from gmm1d.frames import library_of
from gmm1d.frozen import Frozen, guarded, made
from gmm1d.progress import watched
from gmm1d.sketch import Sketch
from gmm1d.weighing import COUNTS, IMPORTANCE, check_total, weights_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gmm1d.columns import Column

Array: TypeAlias = npt.NDArray[np.float64]
Nodes: TypeAlias = tuple[Array, Array]

EXACT = 20_000  # of more points, the nodes of a sketch stand for them
ROUNDING = 1e-15  # relative, of the sums that tell the scale of weights
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
        The caller's weights, not negative; None means one each. Up to 20 000 points none of them is zero.
    n : float
        The sum of the counts, scale * sum(weights), or m.
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
    weights_are : {"counts", "importance"} or None
        What the weights were taken for (see `gmm1d.weighing`); None where there are none.
    scale : float
        What makes counts of the weights, 1 but for importance weights.

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
    weights_are: str | None = None
    scale: float = 1.0

    @classmethod
    def of(
        cls,
        data: object,
        sample_weight: object = None,
        weights_are: str | None = None,
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
            Finite numbers >= 0, not all zero: counts if all are whole, else importance weights.
        weights_are : {"counts", "importance"}, optional
            What the weights are, here or in the Sketch, whatever they look like.
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
        asked = weighing.check_meaning(weights_are)
        if isinstance(data, Sample | Sketch):
            if sample_weight is not None:
                raise InputError(
                    f"sample_weight came with a {type(data).__name__}, which has its own weights: "
                    f"hand both to Sample.of(data, sample_weight) instead"
                )
            if isinstance(data, Sketch):
                return cls._of_sketch(copy(data), asked)
            if asked and data.weights_are not in (None, asked):
                taken = f"weights_are={asked!r}, but the Sample took them as {data.weights_are}"
                raise InputError(f"{taken}: hand it to Sample.of(data, sample_weight) instead")
            return data
        points = column(data)
        m, library = points.size, library_of(data)
        weights = None if sample_weight is None else weights_column(sample_weight, m)
        if m <= EXACT:
            return cls._of_few(points, weights, asked, library)
        alike = weights is not None and weighing.are_alike(weights, asked)
        given = None if alike else weights
        read = _read(points, given, threads, progress)
        out = cls._of_sketch(read, COUNTS if given is None else asked, points, given, library)
        return replace(out, weights_are=IMPORTANCE) if alike else out

    @classmethod
    def _of_few(
        cls, points: Column, weights: Column | None, asked: str, library: str | None
    ) -> Sample:
        """Take every point for what it is."""
        ordered = points
        if weights is None:  # NumPy's sort is the fastest
            ordered = points.copy()
            ordered.sort()
        found = _engine.standardise(ordered, weights, asked)
        if isinstance(found, int):
            refuse_faults(points, weights)
        values, counts, n, low, high, centre, unit, importance, scale = found
        if weights is not None:
            check_total(n, points.size, scale)
            if not weights.all():
                points, weights = points[weights > 0], weights[weights > 0]
        check_scale(low, high, centre, unit)
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
            weights_are=None if weights is None else IMPORTANCE if importance else COUNTS,
            scale=scale,
        )

    @classmethod
    def _of_sketch(
        cls,
        sketch: Sketch,
        asked: str,
        points: Column | None = None,
        weights: Column | None = None,
        library: str | None = None,
    ) -> Sample:
        """Take the nodes of the sketch for its points."""
        if sketch.size == 0:
            raise InputError("no data: the Sketch is empty, add numbers to it")
        check_total(sketch.n, sketch.size)
        sketch, weights_are, scale = _counted(sketch, asked)
        found = _engine.standardise(*sketch.nodes(0.0, 1.0), COUNTS)
        assert not isinstance(found, int)
        *_, centre, unit, _, _ = found
        low, high = sketch.low, sketch.high
        check_scale(low, high, centre, unit)
        points, weights, nodes = map(guarded, (points, weights, sketch.nodes(centre, unit)))
        seen = sketch.n, low, high, centre, unit
        return cls(points, weights, *seen, nodes, sketch, library, weights_are, scale)

    def __repr__(self) -> str:
        """Say how many points there are, between what values."""
        weight = "" if self.n == self.size else f" of total weight {number(self.n)}"
        if self.weights_are == IMPORTANCE:
            weight = f" of n_eff = {number(self.n)}"
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
        """What the weights were taken for, and what stands in the way of a fit if they are not that."""
        return weighing.remarks(self.weights_are, self.n)

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
        finer = _scaled(finer, self.scale)
        nodes = guarded(finer.nodes(self.centre, self.unit))
        return replace(self, nodes=nodes, sketch=finer)

    def has_distinct(self, k: int) -> bool:
        """Say whether there are at least `k` nodes: different values, or what stands for them."""
        return k <= self.nodes[0].size


def _read(x: Column, w: Column | None, threads: int | None, progress: bool | None) -> Sketch:
    """Sketch many points, part by part where they are so many that it lasts."""
    sketch = Sketch()
    parts: Iterable[int] = range(0, x.size, PART)
    if x.size > PART:
        parts = watched(parts, f"parts of {PART} values", progress)
    for begin in parts:
        values = x[begin : begin + PART]
        weights = None if w is None else w[begin : begin + PART]
        try:
            sketch.add(values, weights, threads=threads)
        except InputError:
            if x.size > PART and has_faults(values, weights):
                refuse_faults(x, w)  # which knows the place among all of them
            raise
    return sketch


def _counted(sketch: Sketch, asked: str) -> tuple[Sketch, str | None, float]:
    """Return the sketch with counts for weights, what these were taken for, and what scaled them."""
    importance, scale = sketch._sums.weigh(asked)
    if not importance:
        return sketch, None if sketch.n == sketch.size else COUNTS, 1.0
    if math.isnan(sketch._sums.squares[0]):
        raise InputError(weighing.UNKNOWN)
    check_total(sketch.n, sketch.size, scale)
    scale = 1.0 if math.isclose(scale, 1.0, rel_tol=ROUNDING) else scale
    return _scaled(sketch, scale), IMPORTANCE, scale


def _scaled(sketch: Sketch, scale: float) -> Sketch:
    return sketch if scale == 1 else Sketch._of(sketch._sums.scaled(scale), sketch._read)
