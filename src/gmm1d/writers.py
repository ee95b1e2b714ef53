"""Tables to files, in batches: CSV, TSV, Parquet and Arrow by PyArrow (extra ``cli``), whole or not at all."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmm1d.errors import InputError, require
from gmm1d.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    Columns = Iterable[tuple[str, Any]]

FORMATS = (".csv", ".tsv", ".parquet", ".arrow")


def check_table(path: str | os.PathLike[str]) -> str:
    """Return the format of a table, by the suffix of its path.

    Raises
    ------
    InputError
        If it is another.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{os.fspath(path)}: tables are written as {', '.join(FORMATS)}, not {suffix!r}"
        )
    return suffix


def write_batches(batches: Iterable[Columns], path: str | os.PathLike[str] | None) -> None:
    """Write batches of columns one below another, to a file or, as CSV, to the standard output.

    Parameters
    ----------
    batches : iterable of iterables of (str, array-like)
        Names and columns, in all the same names and types; NumPy's masked values are empty.
    path : path-like or None

    Raises
    ------
    InputError
        If the suffix of `path` is unknown.
    OSError
        If the file cannot be written.
    """
    pa = require("pyarrow", "cli")
    found = (_record_batch(pa, columns) for columns in batches)
    first = next(found, None)  # what can go wrong with the data goes wrong before a file is made
    if first is None:
        raise InputError("no data, there are no rows to write")
    kind = ".csv" if path is None else check_table(path)
    with ExitStack() as stack:
        place: Any = sys.stdout.buffer
        if path is not None:
            place = stack.enter_context(replacing(path))
        sink = stack.enter_context(place.open("wb")) if path is not None else place
        with _writer(pa, sink, first.schema, kind) as writer:
            for batch in chain([first], found):
                writer.write_batch(batch)
        sink.flush()
        if path is not None:
            os.fsync(sink.fileno())


def _record_batch(pa: Any, columns: Columns) -> Any:
    names, values = zip(*columns, strict=True)
    return pa.record_batch([pa.array(column) for column in values], names=names)


def _writer(pa: Any, sink: Any, schema: Any, kind: str) -> Any:
    if kind == ".parquet":
        return require("pyarrow.parquet", "cli").ParquetWriter(sink, schema)
    if kind == ".arrow":
        return pa.ipc.new_file(sink, schema)
    csv = require("pyarrow.csv", "cli")
    delimiter = "\t" if kind == ".tsv" else ","
    options = csv.WriteOptions(delimiter=delimiter, quoting_style="needed")
    return csv.CSVWriter(sink, schema, write_options=options)
