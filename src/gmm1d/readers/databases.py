"""Databases and queries as relations: DuckDB and SQLite files, and SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gmm1d.errors import ReadError, require
from gmm1d.readers.relations import (
    STOPPED,
    TEXT,
    Column,
    Source,
    attach_rows,
    described,
    fresh_name,
    identifier,
    listed,
    literal,
    near,
    said,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gmm1d.readers.locations import Place


STEPS = 1 << 20  # of SQLite's between two looks whether it shall end


def attach_duckdb(con: Any, place: Place) -> str:
    """Open a DuckDB file for reading, make its tables known, and return the name that it has here.

    Raises
    ------
    ReadError
        With DuckDB's sentence if it cannot be opened.
    """
    alias = fresh_name()
    try:
        con.execute(f"ATTACH {literal(place.path)} AS {alias} (READ_ONLY)")
        con.execute(f"USE {alias}")
    except require("duckdb", "cli").Error as error:
        raise ReadError(f"{place.name}: {said(error)}") from error
    return alias


def duckdb_source(con: Any, place: Place, table: str | None) -> Source:
    """Take a table of a DuckDB file.

    Raises
    ------
    ReadError
        If the file cannot be opened, there is no such table, or several could be meant.
    """
    alias = attach_duckdb(con, place)
    names = [name for (name,) in con.execute("SHOW TABLES").fetchall()]
    chosen = identifier(_choose_table(place.name, names, table))
    return described(con, place.name, f"{alias}.{chosen}", counted=True)


def sqlite_query(place: Place, table: str | None) -> str:
    """Return the query for a table of an SQLite file.

    Raises
    ------
    ReadError
        If the file cannot be opened, there is no such table, or several could be meant.
    """
    try:
        with closing(_sqlite_opened(place)) as base:
            found = base.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            names = [name for (name,) in found]
    except sqlite3.Error as error:
        raise ReadError(f"{place.name}: {error}") from error
    return f"SELECT * FROM {identifier(_choose_table(place.name, names, table))}"


def _choose_table(name: str, tables: Sequence[str], wanted: str | None) -> str:
    """Return the table that is meant.

    Raises
    ------
    ReadError
        If there is none, or several could be meant.
    """
    if wanted is None and len(tables) == 1:
        return tables[0]
    if wanted is None:
        there = listed(sorted(tables)) or "none at all"
        raise ReadError(f"{name}: choose one table by --table, or ask by --sql: {there}")
    if wanted not in tables:
        there = listed(sorted(tables))
        raise ReadError(f"{name}: no table {wanted!r}{near(wanted, tables)}; tables: {there}")
    return wanted


def _sqlite_opened(place: Place) -> sqlite3.Connection:
    base = sqlite3.connect(f"file:{quote(place.path)}?mode=ro", uri=True, check_same_thread=False)
    base.set_progress_handler(STOPPED.is_set, STEPS)  # in which Python hears signals, too
    return base


def sqlite_source(place: Place, sql: str) -> Source:
    """Return the rows of a query to an SQLite file; its values have no fixed types, and come as text.

    Raises
    ------
    ReadError
        With SQLite's sentence if the query fails.
    """
    try:
        with closing(_sqlite_opened(place)) as base:
            cursor = base.execute(sql)
            names = [name for name, *_ in cursor.description or ()]
            first = cursor.fetchone() or [None] * len(names)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise ReadError(f"{place.name}: {error}") from error
    if not names:
        raise ReadError(f"{place.name}: the query gives no rows, it must be a SELECT")
    keys, relation = [f"c{j}" for j in range(len(names))], fresh_name()
    columns = tuple(Column(*both, TEXT) for both in zip(names, keys, strict=True))
    possible = tuple(j for j, value in enumerate(first) if isinstance(value, int | float))

    def rows() -> Iterator[list[str | None]]:
        with closing(_sqlite_opened(place)) as base:
            for row in base.execute(sql):
                yield [None if value is None else _written(value) for value in row]

    attach = partial(attach_rows, relation, keys, rows)
    return Source(place.name, columns, True, possible, relation, attach)


def _written(value: object) -> str:
    """Write a value of SQLite so that no number loses a bit."""
    return value if isinstance(value, str) else repr(value)
