"""Relations: rows with named columns that DuckDB can scan, and what DuckDB tells of them."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from itertools import count, islice
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from gmm1d.errors import ReadError, require
from gmm1d.readers.tables import LINES, Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Attach = Callable[[Any], None]

T = TypeVar("T")
LONGEST = 300  # letters of another's sentence
MOST = 20  # names that a sentence lists
STOPPED = Event()  # tells what DuckDB waits for that it shall end
NUMBERS = count()  # of what is given to DuckDB, for distinct names
BATCH = 1 << 12  # rows of Python objects turned into an Arrow batch at a time
TEXT = "VARCHAR"
NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


def nothing(_: Any) -> None:
    """Attach what DuckDB finds by itself."""


class Column(NamedTuple):
    """A column: the name that users know, its SQL identifier and its type in DuckDB."""

    name: str
    key: str
    type: str

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers, not text that may be such."""
        return self.type.partition("(")[0].removeprefix("U") in NUMERIC and "[" not in self.type


@dataclass(frozen=True)
class Source:
    """Rows that DuckDB can scan.

    Attributes
    ----------
    name : str
        What errors call it.
    columns : tuple of Column
    named : bool
        Whether the columns have names, or only numbers from 1.
    possible : tuple of int
        The columns that may hold numbers.
    relation : str
        What stands behind FROM.
    attach : function
        Makes the relation known to a connection, before each scan.
    rows : int or None
        How many there are, where that is known or can be guessed.
    text : Layout or None
        Of a text, in which single cells can be found again.
    exact : bool
        Whether a text is cut into cells by `gmm1d.readers.tables`.
    """

    name: str
    columns: tuple[Column, ...]
    named: bool
    possible: tuple[int, ...]
    relation: str
    attach: Attach = nothing
    rows: int | None = None
    text: Layout | None = None
    exact: bool = False

    @property
    def names(self) -> list[str]:
        """The names of the columns; none if they have only numbers."""
        return [column.name for column in self.columns] if self.named else []

    def exactly(self) -> Source:
        """Return the same text, cut into cells by `gmm1d.readers.tables`: slow, and right whatever stands in it."""
        assert self.text is not None
        keys, name = [column.key for column in self.columns], fresh_name()
        attach = partial(attach_rows, name, keys, self._rows)
        return replace(self, relation=name, attach=attach, exact=True)

    def _rows(self) -> Iterator[Sequence[str | None]]:
        assert self.text is not None
        for _, cells in self.text.data():
            yield from ([cell] for cell in cells) if self.text.delimiter == LINES else [cells]


def connection(**config: object) -> Any:
    """Open a database of DuckDB in memory, which draws no progress bar of its own on the standard output."""
    con = require("duckdb", "cli").connect(config=config)
    ((drawn,),) = con.execute("SELECT current_setting('enable_progress_bar')").fetchall()
    if drawn:  # in a notebook without ipywidgets it is off, and may not even be set to that
        con.execute("SET enable_progress_bar = false")
    return con


class Waiting:
    """Work of DuckDB in a thread, as a context: a signal ends the wait, and leaving it ends the work."""

    def __init__(self, con: Any) -> None:
        self._con = con
        self._pool = ThreadPoolExecutor(1)
        self._last: Future[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None and not self._last.done():
            STOPPED.set()
            with suppress(*failures()):  # it may be closed already
                self._con.interrupt()
        self._pool.shutdown()
        STOPPED.clear()

    def begin(self, work: Callable[[], T]) -> Future[T]:
        """Begin some work."""
        self._last = future = self._pool.submit(work)
        return future

    def end(self, future: Future[T]) -> T:
        """Wait for what it returns, or raise what it raised."""
        while True:  # on some systems a wait without an end hears no signal
            with suppress(TimeoutError):
                return future.result(timeout=60)

    def until(self, work: Callable[[], T]) -> T:
        """Return what some work returns."""
        return self.end(self.begin(work))


def answered(con: Any, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with Waiting(con) as waiting:
        rows: list[tuple[Any, ...]] = waiting.until(lambda: con.execute(query).fetchall())
        return rows


def fresh_name() -> str:
    """Return a name that nothing else in DuckDB has."""
    return f"input{next(NUMBERS)}"


def literal(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a name as SQL does."""
    return '"' + name.replace('"', '""') + '"'


def failures() -> tuple[type[Exception], ...]:
    """Return what DuckDB and Arrow raise when they cannot read."""
    arrow: type[Exception] = require("pyarrow", "cli").ArrowException
    return require("duckdb", "cli").Error, arrow, OSError


def said(error: Exception) -> str:
    """Return the sentence of an error of DuckDB, without the place in a query that users did not write."""
    sentence = " ".join(str(error).partition("\nPossible")[0].partition("\n\nLINE ")[0].split())
    return sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}…"


def listed(names: Sequence[str]) -> str:
    """Write names side by side, and how many there are more."""
    more = f" … ({len(names)} in all)" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def described(
    con: Any,
    name: str,
    relation: str,
    attach: Attach = nothing,
    *,
    counted: bool = False,
) -> Source:
    """Ask DuckDB for the columns of a relation, and for the number of its rows where it knows that.

    Raises
    ------
    ReadError
        With DuckDB's sentence if it is none.
    """
    try:
        attach(con)
        found = answered(con, f"DESCRIBE SELECT * FROM {relation}")
        rows = answered(con, f"SELECT count(*) FROM {relation}")[0][0] if counted else None
    except failures() as error:
        raise ReadError(f"{name}: {said(error)}") from error
    columns = tuple(Column(key, identifier(key), kind) for key, kind, *_ in found)
    numeric = tuple(j for j, column in enumerate(columns) if column.is_numeric)
    text = tuple(j for j, column in enumerate(columns) if column.type == TEXT)
    # One column of numbers beside text that may be numbers, too, is not plainly the one that is meant.
    return Source(name, columns, True, numeric + text, relation, attach, rows=rows)


def choose(
    source: str, names: Sequence[str], possible: Sequence[int], width: int, wanted: str | None
) -> int:
    """Return the index of the column that is meant.

    Parameters
    ----------
    names : sequence of str
        Of the columns; empty if they have none.
    possible : sequence of int
        The columns that may hold numbers.
    width : int
        How many columns there are.
    wanted : str or None
        A name, or a number from 1.

    Raises
    ------
    ReadError
        If there is no such column, or several could be meant; columns with similar names are listed.
    """
    there = listed(names) if names else f"1 to {width}, without names"
    if wanted is None:
        if width == 1 or len(possible) == 1:
            return (*possible, 0)[0]
        raise ReadError(f"{source}: {width} columns, choose one by name or number: {there}")
    wanted = wanted.strip()
    places = [j for j, name in enumerate(names) if name == wanted]
    numbers = {str(j + 1): j for j in range(width)}
    if len(places) > 1:
        same = " and ".join(str(j + 1) for j in places)
        raise ReadError(f"{source}: columns {same} share the name {wanted!r}, choose by number")
    if places:
        return places[0]
    if wanted in numbers:
        return numbers[wanted]
    raise ReadError(f"{source}: no column {wanted!r}{near(wanted, names)}; columns: {there}")


def near(wanted: str, names: Iterable[str]) -> str:
    """Ask whether a similar name was meant; nothing if there is none."""
    lowered = {name.lower(): name for name in names}
    found = [repr(lowered[name]) for name in get_close_matches(wanted.lower(), lowered)]
    return f" (did you mean {' or '.join(found)}?)" if found else ""


def attach_rows(
    relation: str, keys: Sequence[str], rows: Callable[[], Iterator[Sequence[str | None]]], con: Any
) -> None:
    """Give DuckDB rows of text, batch by batch."""
    pa = require("pyarrow", "cli")
    schema = pa.schema([(key, pa.string()) for key in keys])

    def batches() -> Iterator[Any]:
        found = rows()
        while block := list(islice(found, BATCH)):
            columns = zip(*block, strict=True)
            yield pa.record_batch([pa.array(c, pa.string()) for c in columns], schema=schema)

    con.register(relation, pa.RecordBatchReader.from_batches(schema, batches()))
