"""`Data`: all that was named as data, opened; its columns as values, its rows as batches."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gmm1d.arguments import workers
from gmm1d.errors import InputError, ReadError
from gmm1d.readers.gathering import KEPT, Gathering
from gmm1d.readers.locations import places
from gmm1d.readers.queries import answer
from gmm1d.readers.relations import choose, connection
from gmm1d.readers.scanning import Batch, Selection, batches, scanned, select, settled
from gmm1d.readers.sources import source
from gmm1d.sketch import Sketch
from gmm1d.sketch_files import MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gmm1d.readers.relations import Source
    from gmm1d.readers.scanning import Watch

    Array = NDArray[np.float64]

POLICIES = ("error", "drop")
MEMORY = "128MB"  # of DuckDB's own


def read_column(
    path: str | os.PathLike[str], column: str | int | None = None, *, missing: str = "error"
) -> Array:
    """Read one column of numbers from a file.

    Parameters
    ----------
    path : path-like
        Text (numbers between blanks, CSV, TSV; UTF-8, UTF-16 or Latin-1), Parquet, Arrow, JSON, .npy, a
        DuckDB or SQLite file, compressed by gzip, zstd, bzip2 or xz where it is text; a folder or a
        pattern of such files; ``"-"`` is the standard input.
    column : str or int, optional
        Name of a column, or its number from 1. Needed where several columns could be meant. Without
        it, numbers between blanks are one sample, however many stand on a line.
    missing : {"error", "drop"}
        Whether empty cells, NULL and NaN are refused or left out.

    Returns
    -------
    ndarray, shape (m,)
        The values, in the order of the file.

    Raises
    ------
    ReadError
        If the file cannot be read, is empty or of another kind, if the column is missing or ambiguous, or
        if one of its cells is not a finite number; the message names file, line, column and value.
    MissingExtraError
        If DuckDB or PyArrow is not installed.
    """
    wanted = None if column is None else str(column)
    with Data([os.fspath(path)], missing=missing, columns=column is not None) as data:
        return np.asarray(data.gather(wanted, kept=None).data()[0])


class Data:
    """What was named as data, as a context: temporary files vanish when it is left.

    Parameters
    ----------
    names : sequence of str
        Files, folders, patterns, addresses, ``"-"`` for the standard input, sketches.
    sql : str, optional
        A query, to the tables of the one DuckDB or SQLite file in `names`, else to the table ``data``
        of all of them, else to whatever the query itself names.
    table : str, optional
        The table of a database.
    missing : {"error", "drop"}
    columns : bool
        Whether columns are asked for, so that blanks in a text separate them.
    decimal : {".", ","}
        The mark before the fractional part of numbers in text.
    watch : function, optional
        Called with batches, what they are and how many rows there may be; returns the batches.
    threads : int, optional

    Raises
    ------
    ReadError
        If something is not there, or is no data.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        sql: str | None = None,
        table: str | None = None,
        missing: str = "error",
        columns: bool = False,
        decimal: str = ".",
        watch: Watch = lambda batches, _: batches,
        threads: int | None = None,
    ) -> None:
        if missing not in POLICIES:
            raise InputError(f"missing={missing!r} is unknown: use 'error' or 'drop'")
        self.missing, self.watch, self.n_missing = missing, watch, 0
        self.sources: list[Source] = []
        self.sketches: list[Sketch] = []
        self._stack = ExitStack()
        try:
            scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="gmm1d"))
            self.con = connection(
                threads=workers(threads), memory_limit=MEMORY, temp_directory=scratch
            )
            self._stack.callback(self.con.close)
            self._stack.callback(self.con.interrupt)
            opened = partial(source, columns=columns, table=table, decimal=decimal)
            found = [place for name in names for place in places(name, Path(scratch))]
            self.paths = [place.path for place in found]
            self.files = [place.name for place in found]
            if sql is not None:
                self.sources = [answer(self.con, sql, found, decimal)]
                return
            for place in found:
                if not place.is_remote and place.head(len(MAGIC)) == MAGIC:
                    self.sketches.append(Sketch.load(place.path))
                    continue
                self.sources.append(opened(self.con, place))
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove temporary files."""
        self._stack.close()

    def refuse_sketches(self, why: str) -> None:
        """Refuse sketches where values are needed.

        Raises
        ------
        ReadError
            Saying so.
        """
        if self.sketches:
            raise ReadError(
                f"a sketch does not hold the values, {why}: hand in the data themselves"
            )

    def name_of(self, column: str | None) -> str:
        """Return the name of the column that is meant; "x" if it has none."""
        if not self.sources or not self.sources[0].named:
            return "x"
        return self.sources[0].columns[index_of(self.sources[0], column)].name

    def gather(
        self, column: str | None = None, weights: str | None = None, *, kept: int | None = KEPT
    ) -> Gathering:
        """Return the values of one column, of all sources one after another, and of the sketches.

        Parameters
        ----------
        column, weights : str, optional
            Names, or numbers from 1; `weights` is that of the weights of the values.
        kept : int or None
            See `Gathering`.

        Raises
        ------
        ReadError
            If there is no such column, or no data, or at the first value that is no finite number.
        """
        return self.gather_columns([column], weights, kept=kept)[0]

    def gather_columns(
        self,
        columns: Sequence[str | None],
        weights: str | None = None,
        *,
        kept: int | None = KEPT,
    ) -> list[Gathering]:
        """Return the values of several columns, read together; raises as `gather` does."""
        found = [Gathering(kept) for _ in columns]
        for each in self.sources:
            wanted = [*columns, weights] if weights is not None else columns
            numbers = tuple(index_of(each, column) for column in wanted)
            selection = Selection(numbers, weighted=weights is not None)
            consume = partial(_gathered, found, weighted=weights is not None)
            found = scanned(self.con, each, selection, self.missing, consume, self.watch)
        for sketch in self.sketches:
            for gathering in found:
                gathering.merge(sketch)
        for gathering in found:
            if not gathering.size:
                raise ReadError(f"{self.names()}: no data{all_gone(gathering.n_missing)}")
        return found

    def rows(self, column: str | None) -> Iterator[tuple[list[tuple[str, Any]], Array]]:
        """Yield all rows in batches: names and Arrow arrays of their columns, and the numbers (m,) of one of these.

        Raises
        ------
        ReadError
            As `gather` does, before the first row.
        """
        self.refuse_sketches("so no row of it can be told")
        checked = []
        for each in self.sources:
            if [c[::2] for c in each.columns] != [c[::2] for c in self.sources[0].columns]:
                raise ReadError(f"{each.name}: not the columns of {self.sources[0].name}")
            selection = Selection((index_of(each, column),), everything=True)
            fine, n_gone = settled(self.con, each, selection, self.missing)
            self.n_missing += n_gone
            checked.append((fine, selection))
        for fine, selection in checked:
            query = f"SELECT {select(fine, selection, self.missing)} FROM {fine.relation}"
            names = fine.names or [f"column{j + 1}" for j in range(len(fine.columns))]
            for batch in batches(self.con, fine, selection, query, self.missing, self.watch):
                yield list(zip(names, batch.rows.columns, strict=False)), batch.numbers[0]

    def numbers(self, column: str | None, weights: str | None) -> Iterator[list[Array]]:
        """Yield the numbers (m,) of a column, and the weights, in batches; raises as `rows` does."""
        self.refuse_sketches("so it has no exact log-likelihood")
        wanted = [column] if weights is None else [column, weights]
        for each in self.sources:
            numbers = tuple(index_of(each, name) for name in wanted)
            selection = Selection(numbers, weighted=weights is not None)
            fine, n_gone = settled(self.con, each, selection, self.missing)
            self.n_missing += n_gone
            query = f"SELECT {select(fine, selection, self.missing)} FROM {fine.relation}"
            for batch in batches(self.con, fine, selection, query, self.missing, self.watch):
                fine_rows = np.all(np.isfinite(batch.numbers), axis=0)
                yield [values[fine_rows] for values in batch.numbers]

    def split(self, columns: str | None) -> list[str | None]:
        """Return the columns that a text with commas means: one whose name has commas, or several."""
        if columns is None or any(columns in source.names for source in self.sources):
            return [columns]
        return [name.strip() for name in columns.split(",")]

    def names(self) -> str:
        """Return what errors call all sources."""
        return ", ".join(source.name for source in self.sources)


def index_of(source: Source, column: str | None) -> int:
    """Return the number of a column from 0, by its name or its number from 1; raises as `choose` does."""
    width = len(source.columns)
    return choose(source.name, source.names, source.possible, width, column)


def _gathered(
    before: Sequence[Gathering], batches: Iterator[Batch], *, weighted: bool
) -> list[Gathering]:
    """Add batches to copies: what stands before is there for a second reading."""
    found = [gathering.copy() for gathering in before]
    for batch in batches:
        weights = batch.numbers[-1] if weighted else None
        for gathering, values in zip(found, batch.numbers, strict=False):
            gathering.add(values, weights)
    return found


def all_gone(n_missing: int) -> str:
    """Say why there are no data, where that is why."""
    return f", all {n_missing} values are missing" if n_missing else ""
