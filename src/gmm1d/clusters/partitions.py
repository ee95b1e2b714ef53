"""What every engine does: where a partition lies, its values become a `Sketch`; there is no scheduling here."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from gmm1d import scoring
from gmm1d.columns import column, has_faults, refuse_faults
from gmm1d.errors import InputError
from gmm1d.mixture import Mixture
from gmm1d.result import Fit
from gmm1d.sketch import Sketch
from gmm1d.weighing import weights_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from gmm1d.columns import Column

    Batch: TypeAlias = Sequence[Any]  # (x,) or (x, sample_weight)

    # A sketch of all points, and the mixture for which they are to be read again, or () for narrow groups.
    Again: TypeAlias = tuple[Sketch, tuple[ArrayLike, ...]]

T = TypeVar("T")
EMPTY = "no data: the column has no rows"


def read_all(read: Callable[[Again | None], Sketch]) -> Sketch:
    """Return the sketch of all partitions, read again where it asks for that; so can a fit of it.

    Parameters
    ----------
    read : callable
        Returns the sum over all partitions of what `sketched` makes of them, given the same `again`.

    Raises
    ------
    InputError
        If there are no values in any of them.
    """

    def read_again(sketch: Sketch, mixture: tuple[ArrayLike, ...]) -> Sketch:
        return Sketch._of(read((sketch, mixture))._sums, read_again)

    found = read(None)
    if not found.size:
        raise InputError(EMPTY)
    if found.again() is not None:
        return read_again(found, ())
    return Sketch._of(found._sums, read_again)


def sketched(batches: Iterable[Batch], where: str, again: Again | None = None) -> Sketch:
    """Return the sketch of one partition.

    Parameters
    ----------
    batches : iterable of (x,) or (x, sample_weight)
        Columns of numbers, in the order of the partition; those that are empty are passed over.
    where : str
        What the partition is called in the sentence of an error.
    again : (Sketch, mixture), optional
        What was found of all partitions, if this is not the first reading.

    Raises
    ------
    InputError
        If a value is no finite number, or a weight is negative; the sentence names the partition.
    """
    empty = Sketch() if again is None else again[0].again(*again[1])
    assert empty is not None

    def add(sketch: Sketch, points: Column, weights: Column | None) -> Sketch:
        return sketch + copy(empty).add(points, weights, threads=1)

    return _folded(add, Sketch(), batches, where)


def scored(mixture: Mixture, batches: Iterable[Batch], where: str) -> list[tuple[float, float]]:
    """Return what `gmm1d.scoring.part` says of each batch; parameters and errors as in `sketched`."""

    def add(
        parts: list[tuple[float, float]], points: Column, weights: Column | None
    ) -> list[tuple[float, float]]:
        if has_faults(points, weights):
            refuse_faults(points, weights)
        return [*parts, scoring.part(mixture, points, weights)]

    return _folded(add, [], batches, where)


def evaluated(mixture: Mixture, method: str, x: Any, where: str) -> NDArray[Any]:
    """Return what a method of the mixture says of one partition; errors as in `sketched`."""
    values: NDArray[Any] = np.empty(0)
    with naming(where):
        if len(x):
            values = column(x)
            if not np.isfinite(values).all():
                refuse_faults(values, None)
        found: NDArray[Any] = getattr(mixture, method)(values)
    return found


def _folded(
    add: Callable[[T, Column, Column | None], T], first: T, batches: Iterable[Batch], where: str
) -> T:
    """Add batch to batch; the sentence of an error names the partition, and the batch if it is not the first."""
    seen = 0
    for x, *weights in batches:
        size = len(x)
        if not size:
            continue
        rows = f", rows {seen} to {seen + size - 1}" if seen else ""
        with naming(where + rows):
            first = add(first, column(x), weights_column(weights[0], size) if weights else None)
        seen += size
    return first


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Begin the sentence of an InputError with the partition."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def joined(parts: Iterable[list[T]]) -> list[T]:
    """Put lists together."""
    return list(chain.from_iterable(parts))


def merged(parts: Iterable[Mapping[Any, Sketch]]) -> dict[Any, Sketch]:
    """Add the sketches of the same label."""
    found: dict[Any, Sketch] = {}
    for part in parts:
        for label, sketch in part.items():
            found[label] = found[label] + sketch if label in found else sketch
    return found


def labelled(groups: Mapping[Any, Sketch]) -> dict[Any, Sketch]:
    """Return groups in the order of their labels, or tuples of labels, None last; refuse none at all."""
    if not groups:
        raise InputError(EMPTY)

    def rank(label: Any) -> list[Any]:
        parts = label if isinstance(label, tuple) else (label,)
        return [(part is None, type(part).__name__, part != part, part) for part in parts]  # noqa: PLR0124  # NaN

    return {label: groups[label] for label in sorted(groups, key=rank)}


def mixture_of(model: object) -> Mixture:
    """Return the mixture of a fit, or the mixture itself.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(model, Fit):
        return model.mixture
    if isinstance(model, Mixture):
        return model
    raise InputError(f"model is a {type(model).__name__}: hand in a Fit or a Mixture")
