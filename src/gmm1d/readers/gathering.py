"""`Gathering`: values that come in batches, kept as they are up to a bound and in a `Sketch` beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d.sketch import Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

KEPT = 1 << 22  # values kept as they are, 32 MiB of them
PART = 1 << 20  # values added to a sketch at a time: the same parts whatever the batches


def vector(column: Any) -> Any:
    """See an Arrow array of numbers as NumPy does; `to_numpy` would import pandas, if it is there."""
    return np.from_dlpack(column)


def all_finite(values: Array) -> bool:
    """Say whether all values are surely finite: their sum is, which is quicker to find than each of them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()))


class Gathering:
    """Values and weights in the order in which they came, in bounded memory.

    Parameters
    ----------
    kept : int or None
        So many values are kept as they are; None for all of them.
    """

    def __init__(self, kept: int | None = KEPT) -> None:
        self.kept = kept
        self.n_missing = 0
        self._values: list[Array] = []
        self._weights: list[Array] = []
        self._size = 0
        self._sketch: Sketch | None = None

    def copy(self) -> Gathering:
        """Return one that grows on its own."""
        out = Gathering(self.kept)
        out.n_missing, out._size = self.n_missing, self._size
        out._values, out._weights = [*self._values], [*self._weights]
        out._sketch = None if self._sketch is None else self._sketch + Sketch()
        return out

    def add(self, values: Array, weights: Array | None = None) -> None:
        """Add values (m,) and their weights; where either is NaN, both are left out and counted."""
        if not (all_finite(values) and (weights is None or all_finite(weights))):
            gone = np.isnan(values) if weights is None else np.isnan(values) | np.isnan(weights)
            self.n_missing += int(np.count_nonzero(gone))
            values = values[~gone]
            weights = None if weights is None else weights[~gone]
        self._values.append(values)
        if weights is not None:
            self._weights.append(weights)
        self._size += values.size
        if self.kept is not None and self._size > (0 if self._sketch else self.kept) + PART:
            self._compress(PART)

    def merge(self, sketch: Sketch) -> None:
        """Add the points of a sketch."""
        self._compress(1)
        assert self._sketch is not None
        self._sketch = self._sketch + sketch

    @property
    def size(self) -> int:
        """The number of values."""
        return self._size + (0 if self._sketch is None else self._sketch.size)

    def data(self) -> tuple[Array | Sketch, Array | None]:
        """Return the values, or the sketch of them, and the weights that are not in it."""
        if self._sketch is not None:
            self._compress(1)
            return self._sketch, None
        values = np.concatenate(self._values) if self._values else np.empty(0)
        return values, np.concatenate(self._weights) if self._weights else None

    def sketch(self) -> Sketch:
        """Return the sketch of all values."""
        self._compress(1)
        assert self._sketch is not None
        return self._sketch

    def _compress(self, part: int) -> None:
        """Move values to the sketch, as many whole parts as there are."""
        if self._sketch is None:
            self._sketch = Sketch()
        if not self._size:
            return
        values = np.concatenate(self._values)
        weights = np.concatenate(self._weights) if self._weights else None
        stop = self._size if part == 1 else self._size // part * part
        for begin in range(0, stop, PART):
            piece = slice(begin, min(begin + PART, stop))
            self._sketch.add(values[piece], None if weights is None else weights[piece])
        self._values, self._size = [values[stop:]], self._size - stop
        self._weights = [] if weights is None else [weights[stop:]]
