"""What the page has loaded: data sets with their fits, a bounded number of them. Reads and fits nothing."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from gmm1d.explore.fits import Fitter
    from gmm1d.explore.loading import Origin
    from gmm1d.result import Fit
    from gmm1d.sample import Sample

MOST, MOST_BYTES = 8, 1 << 30  # data sets that are kept, and their size in memory and on disk
MOST_FITS = 64  # of one data set


@dataclass(frozen=True)
class Made:
    """A fit, and how to make it again: the arguments of `fit`, or of `compare` where `ks` are among them."""

    fit: Fit
    recipe: dict[str, Any]


@dataclass(eq=False)
class DataSet:
    """One column of numbers that a page works with.

    Attributes
    ----------
    name, column : str
        What users call the data and the column; the column is "x" if it has no name.
    number : int
        The number of the column, from 1.
    columns : tuple of (int, str)
        Numbers and names of all columns that may hold numbers.
    sample : Sample
    n_missing : int
        Values that were left out.
    origin : Origin or None
        Where the values can be read again; None for examples and arrays.
    file : Path or None
        An uploaded file, which vanishes with the last data set of it.
    start : dict or None
        The start that comes with an example.
    """

    name: str
    column: str
    sample: Sample
    fitter: Fitter
    number: int = 1
    columns: tuple[tuple[int, str], ...] = ()
    n_missing: int = 0
    origin: Origin | None = None
    file: Path | None = None
    start: dict[str, list[float]] | None = None
    made: OrderedDict[str, Made] = field(default_factory=OrderedDict)
    _numbers: Any = field(default_factory=lambda: count(1))

    def keep(self, made: Made) -> str:
        """Keep a fit for downloads, and return its name; the oldest one goes."""
        name = str(next(self._numbers))
        self.made[name] = made
        while len(self.made) > MOST_FITS:
            self.made.popitem(last=False)
        return name

    @property
    def cost(self) -> int:
        """Bytes in memory and on disk."""
        points, weights = self.sample.points, self.sample.weights
        held = sum(each.nbytes for each in (points, weights) if each is not None)
        return held + (self.file.stat().st_size if self.file and self.file.exists() else 0)


class Store:
    """Data sets by their names, of which those go that were not used for the longest time."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, DataSet] = OrderedDict()
        self._numbers, self._lock = count(1), Lock()

    def add(self, data: DataSet) -> str:
        """Keep a data set, and return its name; others go if they are too many."""
        with self._lock:
            name = f"d{next(self._numbers)}"
            self._kept[name] = data
            while len(self._kept) > 1 and (
                len(self._kept) > self._most
                or sum(each.cost for each in self._kept.values()) > self._most_bytes
            ):
                self._drop(self._kept.popitem(last=False)[1])
        return name

    def get(self, name: object) -> DataSet | None:
        """Return a data set, or None if it is not there, or not any more."""
        with self._lock:
            if not isinstance(name, str) or name not in self._kept:
                return None
            self._kept.move_to_end(name)
            return self._kept[name]

    def clear(self) -> None:
        """Forget all data sets."""
        with self._lock:
            while self._kept:
                self._drop(self._kept.popitem()[1])

    def _drop(self, data: DataSet) -> None:
        """Remove the file of a data set, unless it is that of another column, too."""
        if data.file is not None and all(data.file != each.file for each in self._kept.values()):
            data.file.unlink(missing_ok=True)
