"""Tables to files, in batches: CSV, TSV, Parquet and Arrow (extra ``cli``), whole or not at all."""

from __future__ import annotations

import csv
import errno
import io
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gmm1d.errors import InputError, require
from gmm1d.files import replacing
from gmm1d.readers.relations import answered, connection, failures, literal, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Columns = Iterable[tuple[str, Any]]

ROWS = 1 << 17  # of a batch
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
    found = _even(pa, (_record_batch(pa, columns) for columns in batches))
    first = next(found, None)  # what can go wrong with the data goes wrong before a file is made
    if first is None:
        raise InputError("no data, there are no rows to write")
    kind = ".csv" if path is None else check_table(path)
    with ExitStack() as stack:
        if path is None:
            sink: Any = sys.stdout.buffer
        else:
            sink = stack.enter_context(stack.enter_context(replacing(path)).open("wb"))
        with _writer(pa, sink, first.schema, kind) as writer:
            for batch in chain([first], found):
                writer.write_batch(batch)
        sink.flush()
        if path is not None:
            os.fsync(sink.fileno())


def _even(pa: Any, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the same rows in batches of one size, whatever the threads that read them made of it."""
    held: list[Any] = []
    for batch in chain(batches, [None]):
        held += [] if batch is None else [batch]
        while held and (batch is None or sum(each.num_rows for each in held) >= ROWS):
            rows = pa.Table.from_batches(held).combine_chunks()
            yield rows.slice(0, ROWS).combine_chunks().to_batches()[0]
            held = rows.slice(ROWS).to_batches()


def _record_batch(pa: Any, columns: Columns) -> Any:
    names, values = zip(*columns, strict=True)
    return pa.record_batch([pa.array(column) for column in values], names=names)


def _writer(pa: Any, sink: Any, schema: Any, kind: str) -> Any:
    if kind == ".parquet":
        return require("pyarrow.parquet", "cli").ParquetWriter(sink, schema)
    if kind == ".arrow":
        return pa.ipc.new_file(sink, schema)
    return _TextWriter(sink, schema, "\t" if kind == ".tsv" else ",")


class _TextWriter:
    """Batches as delimited text, by DuckDB, which quotes only what needs it."""

    def __init__(self, sink: Any, schema: Any, delimiter: str) -> None:
        self._stack = ExitStack()
        self._sink, self._delimiter = sink, delimiter
        self._con = self._stack.enter_context(connection())
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="gmm1d"))
        self._block = Path(folder) / "block"
        header = io.StringIO()
        csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(schema.names)
        sink.write(header.getvalue().encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write_batch(self, batch: Any) -> None:
        """Write some rows."""
        table = require("pyarrow", "cli").Table.from_batches([batch])
        self._con.register(
            "rows", table.rename_columns([f"c{j}" for j in range(batch.num_columns)])
        )
        copy = f"COPY rows TO {literal(str(self._block))} (FORMAT csv, HEADER false, "
        try:
            answered(self._con, f"{copy}DELIMITER {literal(self._delimiter)})")
        except failures() as error:
            raise OSError(errno.EIO, said(error), str(self._block.parent)) from error
        with self._block.open("rb") as block:
            shutil.copyfileobj(block, self._sink)
