"""Rows of a source as batches of float64, quickly; and, where a value is none, the exact place and reason.

Text is decimal notation only. Whatever the quick reading by DuckDB does not surely take for a number is
looked at again, cell by cell: that look alone decides.
"""

from __future__ import annotations

import math
import re
import unicodedata
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

import numpy as np

from gmm1d.errors import ReadError
from gmm1d.readers.cells import MISSING, SPACE, Cell
from gmm1d.readers.gathering import all_finite, vector
from gmm1d.readers.relations import TEXT, Column, Source, Waiting, answered, failures, literal, said

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Watch = Callable[[Iterable[Any], Source], Iterable[Any]]

T = TypeVar("T")
BATCH = 1 << 17  # rows
SHOWN = 40  # characters of a bad value that an error quotes
DROP = "--missing drop leaves them out"


class Suspect(Exception):
    """A value that may be no number, or a row of another width."""


class Selection(NamedTuple):
    """What is wanted of a source, by the numbers of its columns from 0."""

    numbers: tuple[int, ...]
    labels: tuple[int, ...] = ()
    everything: bool = False
    weighted: bool = False  # whether the last of the numbers are weights


class Batch(NamedTuple):
    """Some rows: the numbers (m,) of each column, NaN where one is missing and may be, and what was read."""

    numbers: list[Array]
    rows: Any  # a pyarrow.RecordBatch


def scanned(
    con: Any,
    source: Source,
    selection: Selection,
    missing: str,
    consume: Callable[[Iterator[Batch]], T],
    watch: Watch,
) -> T:
    """Hand the rows of a source to a function: once, or again from the start if they need a closer look.

    Raises
    ------
    ReadError
        At the first value that is no finite number, with its place.
    """
    query = f"SELECT {select(source, selection, missing)} FROM {source.relation}"
    try:
        return consume(batches(con, source, selection, query, missing, watch))
    except Suspect as problem:
        if source.text is None or source.exact:
            explain(con, source, selection, missing, problem)
    return scanned(con, source.exactly(), selection, missing, consume, watch)


def settled(con: Any, source: Source, selection: Selection, missing: str) -> tuple[Source, int]:
    """Return the source, or how it is read exactly, once it is sure to hold nothing but numbers, and how many rows lack one.

    Raises
    ------
    ReadError
        At the first value that is no finite number, with its place, or if labels are missing and must not be.
    """
    query = f"SELECT {select(source, selection, missing)} FROM {source.relation}"
    bad, lacking = [], []
    for i in range(len(selection.numbers)):
        unfit = f"NOT coalesce(isfinite(gmm1d_v{i}), false)"
        bad.append(f"{unfit} AND gmm1d_g{i} = 0" if missing == "drop" else unfit)
        lacking.append(f"gmm1d_g{i} = 1" if missing == "drop" else "false")
    if selection.weighted:
        bad.append(f"gmm1d_v{len(selection.numbers) - 1} < 0")
    lost = [f"gmm1d_b{i} IS NULL" for i in range(len(selection.labels))] or ["false"]
    kinds = ("true", " OR ".join(bad), " OR ".join(lost), " OR ".join([*lacking, *lost]))
    count = ", ".join(f"count(*) FILTER ({each})" for each in kinds)
    try:
        source.attach(con)
        counts = answered(con, f"SELECT {count} FROM ({query})")
        n_rows, n_bad, n_lost, n_gone = counts[0]
        problem = Suspect("some values are no numbers")
    except failures() as error:
        n_rows, n_bad, n_lost, n_gone, problem = 0, 1, 0, 0, Suspect(said(error))
    if (n_bad or not n_rows) and source.text is not None and not source.exact:
        return settled(con, source.exactly(), selection, missing)
    if n_bad:
        explain(con, source, selection, missing, problem)
    if n_lost and missing == "error":
        names = ", ".join(source.columns[j].name for j in selection.labels)
        raise ReadError(f"{source.name}: {n_lost} rows have no {names}; {DROP}")
    return source, n_gone


def select(source: Source, selection: Selection, missing: str) -> str:
    """Write what stands behind SELECT: perhaps all columns, then gmm1d_v0 … (values), _g0 … (is it missing?), _b0 … (labels)."""
    parts = [column.key for column in source.columns] if selection.everything else []
    for i, j in enumerate(selection.numbers):
        parts.append(f"{value(source, source.columns[j])} AS gmm1d_v{i}")
        if missing == "drop":
            parts.append(f"CAST({gone(source.columns[j])} AS TINYINT) AS gmm1d_g{i}")
    for i, j in enumerate(selection.labels):
        parts.append(
            f"nullif(trim(CAST({source.columns[j].key} AS VARCHAR), {literal(SPACE)}), '') AS gmm1d_b{i}"
        )
    return ", ".join(parts)


def value(source: Source, column: Column) -> str:
    """Write a float64, or NULL where DuckDB and `NUMBER` may differ on a text.

    Raises
    ------
    ReadError
        If the column holds no numbers.
    """
    key = column.key
    if column.is_numeric:
        return f"CAST({key} AS DOUBLE)"
    if column.type != TEXT:
        raise ReadError(
            f"{source.name}: {column.name!r} holds {column.type}, not numbers: "
            "choose another column, or convert it by --sql"
        )
    odd = f"contains({key}, '_') OR contains({key}, '+-')"
    if source.text is not None and source.text.decimal == ",":
        odd, key = f"{odd} OR contains({key}, '.')", f"replace({key}, ',', '.')"
    return f"CASE WHEN {odd} THEN NULL ELSE TRY_CAST({key} AS DOUBLE) END"


def gone(column: Column) -> str:
    """Write whether a value is missing."""
    if column.is_numeric:
        # Not isnan(): DuckDB takes that for false by statistics of a Parquet file, which leave NaN out.
        value = f"CAST({column.key} AS DOUBLE)"
        return f"coalesce(NOT isfinite({value}) AND NOT isinf({value}), true)"
    words = ", ".join(map(literal, MISSING))
    return f"coalesce(lower(trim({column.key}, {literal(SPACE)})) IN ({words}), true)"


def batches(
    con: Any, source: Source, selection: Selection, query: str, missing: str, watch: Watch
) -> Generator[Batch]:
    """Yield the rows of a query in batches.

    Raises
    ------
    Suspect
        At a value that is no finite number, and not missing where that is allowed.
    """
    n_rows = 0
    with closing(streamed(con, source, query)) as stream:
        for rows in watch(stream, source):
            n_rows += rows.num_rows
            numbers = _numbers(rows, len(selection.numbers), missing)
            if selection.weighted and (numbers[-1] < 0).any():
                raise Suspect("some weights are negative")
            yield Batch(numbers, rows)
    if not n_rows and source.text is not None and not source.exact:
        raise Suspect("DuckDB finds no rows")


def _numbers(rows: Any, count: int, missing: str) -> list[Array]:
    """Return the numbers (m,) of each column, NaN where one is missing and may be."""
    numbers = []
    for i in range(count):
        column = rows.column(f"gmm1d_v{i}")
        values = vector(column.fill_null(math.nan) if column.null_count else column)
        if not all_finite(values):
            unfit = ~np.isfinite(values)
            allowed = missing == "drop" and vector(rows.column(f"gmm1d_g{i}")) == 1
            if (unfit & ~np.asarray(allowed)).any():
                raise Suspect("some values are no numbers")
            values = np.where(unfit, np.nan, values)
        numbers.append(values)
    return numbers


def streamed(con: Any, source: Source, query: str) -> Generator[Any]:
    """Yield the record batches of a query to a source.

    Raises
    ------
    Suspect
        With DuckDB's sentence if it fails on a text.
    ReadError
        With that sentence if it fails on anything else.
    """
    reader: Any = None
    with Waiting(con) as waiting:
        try:
            source.attach(con)
            reader = waiting.until(lambda: con.sql(query).to_arrow_reader(BATCH))
            ahead = waiting.begin(lambda: next(reader, None))  # read while the last one is used
            while (batch := waiting.end(ahead)) is not None:
                ahead = waiting.begin(lambda: next(reader, None))
                yield batch
        except failures() as error:
            if source.text is not None:
                raise Suspect(said(error)) from error
            raise ReadError(f"{source.name}: {said(error)}") from error
    reader.close()


def explain(
    con: Any, source: Source, selection: Selection, missing: str, problem: Suspect
) -> NoReturn:
    """Raise the sentence about the first value that is no finite number.

    Raises
    ------
    ReadError
        With the place, and the value; or with what DuckDB said, if all values are numbers.
    """
    for i, j in enumerate(selection.numbers, start=1):
        are_weights = selection.weighted and i == len(selection.numbers)
        with closing(_cells(con, source, j)) as cells:
            _check_cells(source, cells, missing, least=0.0 if are_weights else -math.inf)
    raise ReadError(f"{source.name}: {problem}") from problem


def _cells(con: Any, source: Source, j: int) -> Generator[Cell]:
    """Yield the cells of a column, as text."""
    if source.text is not None:
        yield from source.text.cells(j)
        return
    column, above = source.columns[j], 0
    query = f"SELECT CAST({column.key} AS VARCHAR) AS c FROM {source.relation}"
    name = column.name if source.named else ""
    with closing(streamed(con, source, query)) as stream:
        for rows in stream:
            for row, text in enumerate(rows.column("c").to_pylist(), start=above + 1):
                yield Cell(f"row {row}", j + 1, name, text or "")
            above += rows.num_rows


def _check_cells(source: Source, cells: Iterator[Cell], missing: str, least: float) -> None:
    """Raise the sentence about the first cell that is no finite number, or too small."""
    for before, cell in enumerate(cells):
        if cell.is_missing and missing == "drop":
            continue
        if math.isfinite(cell.value) and cell.value >= least:
            continue
        name = f" ({cell.name})" if cell.name else ""
        no_value = cell.is_missing or cell.is_infinite
        what = _count_missing(cell, before, cells) if no_value else _why(cell)
        raise ReadError(f"{source.name}, {cell.place}, column {cell.column}{name}: {what}")


def _count_missing(cell: Cell, before: int, after: Iterator[Cell]) -> str:
    """Say that a value is missing, and how many are: a user who knows drops or fills them all."""
    rest = [(other.is_missing, other.is_infinite) for other in after]
    gone = cell.is_missing + sum(missing for missing, _ in rest)
    unfit = 1 + sum(missing or infinite for missing, infinite in rest)
    empty = "empty cell" if cell.place.startswith("line") else "NULL"
    what = repr(cell.text.strip()) if cell.text.strip() else empty
    advice = f"{DROP}, or replace them" if gone == unfit else "remove or replace them"
    kind = "missing" if gone == unfit else "missing or not finite"
    return f"{what}; {unfit} of {before + 1 + len(rest)} values are {kind}, {advice}"


def _why(cell: Cell) -> str:
    """Say why a cell is not a number that can be used."""
    text = cell.text
    shown = repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
    if math.isfinite(cell.value):
        return f"{shown} is negative, and a weight: give numbers >= 0"
    if math.isinf(cell.value):
        return f"{shown} is beyond the range of float64"
    odd = re.search(r"[^0-9A-Za-z+\-. ]", text.strip())
    if odd is None or cell.is_name:
        return f"{shown} is not a number"
    name = unicodedata.name(odd[0], "control character")
    code = f"U+{ord(odd[0]):04X}"
    advice = "write -1234.5 or 1e-3" + ", or say --decimal ," * (odd[0] == "," != cell.decimal)
    return f"{shown} is not a number, it contains {name} ({code}): {advice}"
