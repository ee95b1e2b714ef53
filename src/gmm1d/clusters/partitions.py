"""What happens where a partition lies: its values become a `Sketch`, or a sentence that names the partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gmm1d.columns import column, weights_column
from gmm1d.errors import InputError
from gmm1d.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable

PART = 1 << 20  # values added to a sketch at a time, in a process that may have little memory


def sketched(batches: Iterable[tuple[object, ...]], where: str) -> Sketch:
    """Return the sketch of one partition.

    Parameters
    ----------
    batches : iterable of (x,) or (x, sample_weight)
        Columns of numbers, in the order of the partition; those that are empty are passed over.
    where : str
        What the partition is called in the sentence of an error.

    Raises
    ------
    InputError
        If a value is no finite number, or a weight is negative; the sentence names the partition.
    """
    sketch, seen = Sketch(), 0
    for x, *weights in batches:
        size = len(x)  # type: ignore[arg-type]  # columns have a length
        try:
            if size:
                points = column(x)
                w = weights_column(weights[0], size) if weights else None
                for begin in range(0, size, PART):
                    part = slice(begin, begin + PART)
                    sketch.add(points[part], None if w is None else w[part], threads=1)
        except InputError as error:
            rows = f", rows {seen} to {seen + size - 1}" if seen else ""
            raise InputError(f"{where}{rows}: {error}") from error
        seen += size
    return sketch
