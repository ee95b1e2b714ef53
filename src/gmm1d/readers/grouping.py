"""`grouped`: the rows of data as groups of the same labels, one after another, sorted by DuckDB."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.errors import ReadError
from gmm1d.readers.data import all_gone, index_of
from gmm1d.readers.gathering import Gathering
from gmm1d.readers.relations import Source
from gmm1d.readers.scanning import Batch, Selection, batches, select, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gmm1d.readers import Data


def grouped(
    data: Data, column: str | None, by: Sequence[str], weights: str | None = None
) -> Iterator[tuple[tuple[str, ...], Gathering]]:
    """Yield the labels of each group, and its values.

    Groups come in the order of their labels, and the values of one are sorted: on disk where they are many.

    Parameters
    ----------
    data : Data
    column, weights : str or None
        As in `Data.gather`.
    by : sequence of str
        Columns of labels, by name or number from 1.

    Raises
    ------
    ReadError
        As `Data.gather` does, and if labels are missing and must not be.
    """
    data.refuse_sketches("so it has no groups")
    parts = []
    wanted = [column] if weights is None else [column, weights]
    for each in data.sources:
        selection = Selection(
            tuple(index_of(each, name) for name in wanted),
            tuple(index_of(each, name) for name in by),
        )
        fine, n_gone = settled(data.con, each, selection, data.missing)
        data.n_missing += n_gone
        fine.attach(data.con)
        parts.append(f"SELECT {select(fine, selection, data.missing)} FROM {fine.relation}")
    numbers = [f"v{i}" for i in range(len(wanted))]
    labels = [f"b{i}" for i in range(len(by))]
    kept = [f"isfinite({v})" for v in numbers] + [f"{b} IS NOT NULL" for b in labels]
    query = (
        f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE {' AND '.join(kept)} "
        f"ORDER BY {', '.join(labels + numbers)}"
    )
    key, gathering = None, Gathering()
    for batch in batches(data.con, _all(data), selection, query, data.missing, data.watch):
        for found, rows in _runs(batch, len(by)):
            if found != key:
                if key is not None:
                    yield key, gathering
                key, gathering = found, Gathering()
            gathering.add(*(values[rows] for values in batch.numbers))
    if key is None:
        raise ReadError(f"{data.names()}: no data{all_gone(data.n_missing)}")
    yield key, gathering


def _all(data: Data) -> Source:
    """Return what errors and progress bars call all sources; they are attached already."""
    rows = [source.rows for source in data.sources]
    total = sum(count or 0 for count in rows) if all(rows) else None
    return Source(data.names(), (), False, (), "", rows=total)


def _runs(batch: Batch, width: int) -> Iterator[tuple[tuple[str, ...], slice]]:
    """Yield the labels of each run of rows that have the same."""
    labels = [batch.rows.column(f"b{i}").to_numpy(zero_copy_only=False) for i in range(width)]
    changes = np.zeros(batch.rows.num_rows, dtype=bool)
    for column in labels:
        changes[1:] |= column[1:] != column[:-1]
    begins = np.concatenate([[0], np.flatnonzero(changes), [batch.rows.num_rows]])
    for begin, end in pairwise(begins):
        if begin < end:
            yield tuple(str(column[begin]) for column in labels), slice(begin, end)
