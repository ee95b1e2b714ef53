"""`grouped`: the rows of data as groups of the same labels, one after another."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gmm1d.errors import ReadError
from gmm1d.readers.data import all_gone, index_of
from gmm1d.readers.gathering import KEPT, Gathering, vector
from gmm1d.readers.relations import Source, answered, fresh_name
from gmm1d.readers.scanning import Batch, Selection, batches, select, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gmm1d.readers.data import Data

    Array = NDArray[np.intp]

Labels: TypeAlias = tuple[str, ...]
Scan: TypeAlias = tuple[Source, Selection]
FEW = 64  # groups that are held in memory together
SORTING = "256MB"  # of DuckDB's own


def grouped(
    data: Data, column: str | None, by: Sequence[str], weights: str | None = None
) -> Iterator[tuple[Labels, Gathering]]:
    """Yield the labels of each group, and its values.

    Groups come in the order of their labels. The rows of a few are told apart as they come, those of many are
    sorted.

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
    wanted = [column] if weights is None else [column, weights]
    scans = []
    for each in data.sources:
        selection = Selection(
            tuple(index_of(each, name) for name in wanted),
            tuple(index_of(each, name) for name in by),
            weighted=weights is not None,
        )
        fine, n_gone = settled(data.con, each, selection, data.missing)
        data.n_missing += n_gone
        scans.append((fine, selection))
    labels, numbers = (
        [f"gmm1d_b{i}" for i in range(len(by))],
        [f"gmm1d_v{i}" for i in range(len(wanted))],
    )
    present = " AND ".join(
        [*(f"isfinite({v})" for v in numbers), *(f"{b} IS NOT NULL" for b in labels)]
    )
    found = _few(data, scans, present, len(by))
    if found is None:
        yield from _sorted(data, scans, present, labels + numbers, len(by))
    elif found:
        yield from sorted(found.items())
    else:
        raise ReadError(f"{data.names()}: no data{all_gone(data.n_missing)}")


def _few(
    data: Data, scans: Sequence[Scan], present: str, width: int
) -> dict[Labels, Gathering] | None:
    """Return the groups, read as they come; None if they are more than a few."""
    found: dict[Labels, Gathering] = {}
    for source, selection in scans:
        query = f"SELECT * FROM ({_query(data, source, selection)}) WHERE {present}"
        stream = batches(data.con, source, selection, query, data.missing, data.watch)
        with closing(stream):
            for batch in stream:
                for labels, rows in _parts(batch, width):
                    group = found.setdefault(labels, Gathering(KEPT // FEW))
                    group.add(*(values[rows] for values in batch.numbers))
                if len(found) > FEW:
                    return None
    return found


def _sorted(
    data: Data, scans: Sequence[Scan], present: str, order: Sequence[str], width: int
) -> Iterator[tuple[Labels, Gathering]]:
    """Yield the groups one after another, of rows that DuckDB has sorted, on disk where they are many."""
    table, first = fresh_name(), scans[0]
    for i, (source, selection) in enumerate(scans):
        source.attach(data.con)
        kept = f"SELECT * FROM ({_query(data, source, selection)}) WHERE {present}"
        into = f"CREATE TEMP TABLE {table} AS" if i == 0 else f"INSERT INTO {table}"
        answered(data.con, f"{into} {kept}")
    answered(data.con, f"SET memory_limit = '{SORTING}'")
    query = f"SELECT * FROM {table} ORDER BY {', '.join(order)}"
    key, gathering = None, Gathering()
    stream = batches(data.con, _all(data), first[1], query, data.missing, data.watch)
    with closing(stream):
        for batch in stream:
            for labels, rows in _runs(batch, width):
                if labels != key:
                    if key is not None:
                        yield key, gathering
                    key, gathering = labels, Gathering()
                gathering.add(*(values[rows] for values in batch.numbers))
    if key is not None:
        yield key, gathering


def _query(data: Data, source: Source, selection: Selection) -> str:
    return f"SELECT {select(source, selection, data.missing)} FROM {source.relation}"


def _all(data: Data) -> Source:
    """Return what errors and progress bars call all sources; they are attached already."""
    rows = [source.rows for source in data.sources]
    total = sum(count or 0 for count in rows) if all(rows) else None
    return Source(data.names(), (), False, (), "", rows=total)


def _parts(batch: Batch, width: int) -> Iterator[tuple[Labels, Array]]:
    """Yield the labels of each group in a batch, and the numbers of its rows."""
    codes = np.zeros(batch.rows.num_rows, dtype=np.int64)
    for i in range(width):
        column = batch.rows.column(f"gmm1d_b{i}").dictionary_encode()
        codes = codes * len(column.dictionary) + vector(column.indices)
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    columns = [batch.rows.column(f"gmm1d_b{i}") for i in range(width)]
    for rows in np.split(order, begins[1:]) if order.size else ():
        yield tuple(column[int(rows[0])].as_py() for column in columns), rows


def _runs(batch: Batch, width: int) -> Iterator[tuple[Labels, slice]]:
    """Yield the labels of each run of rows that have the same."""
    labels = [np.array(batch.rows.column(f"gmm1d_b{i}").to_pylist()) for i in range(width)]
    changes = np.zeros(batch.rows.num_rows, dtype=bool)
    for column in labels:
        changes[1:] |= column[1:] != column[:-1]
    begins = np.concatenate([[0], np.flatnonzero(changes), [batch.rows.num_rows]])
    for begin, end in pairwise(begins):
        if begin < end:
            yield tuple(str(column[begin]) for column in labels), slice(begin, end)
