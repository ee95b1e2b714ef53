"""Queries of the user: to a database, or to the table `data` of files, whose texts are read as strictly as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gmm1d.errors import ReadError
from gmm1d.readers.databases import attach_duckdb, sqlite_source
from gmm1d.readers.relations import Source, answered, described, failures, identifier, nothing, said
from gmm1d.readers.scanning import gone, value
from gmm1d.readers.sources import is_duckdb, is_sqlite, source
from gmm1d.readers.tables import HEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gmm1d.readers.locations import Place


def answer(con: Any, sql: str, places: Sequence[Place], decimal: str = ".") -> Source:
    """Return the rows of a query, to the one database among the places, or to the table `data` of all of them.

    Raises
    ------
    ReadError
        With the sentence of the database if the query fails.
    """
    sql = sql.strip().rstrip(";")
    name = places[0].name if len(places) == 1 else "--sql"
    if len(places) == 1 and not places[0].is_remote:
        head = places[0].head(HEAD)
        if is_sqlite(head):
            return sqlite_source(places[0], sql)
        if is_duckdb(head):
            attach_duckdb(con, places[0])
            return described(con, name, f"({sql}\n) AS answer")
    if places:
        _make_table(
            con, name, [source(con, place, columns=True, decimal=decimal) for place in places]
        )
    return described(con, name, f"({sql}\n) AS answer")


def _make_table(con: Any, name: str, sources: Sequence[Source]) -> None:
    """Make `data` known: as a view, or, where the rows can be read only once, as a table."""
    parts, once = [], False
    for each in sources:
        found, columns = _typed(con, each)
        found.attach(con)
        parts.append(f"SELECT {columns} FROM {found.relation}")
        once |= found.attach is not nothing
    union = " UNION ALL BY NAME ".join(parts)
    described(con, name, f"({union}) AS data")
    answered(con, f"CREATE TEMP {'TABLE' if once else 'VIEW'} data AS {union}")


def _typed(con: Any, each: Source) -> tuple[Source, str]:
    """Return a source and its columns for SELECT: those of a text that hold nothing but numbers are numbers."""
    if each.text is None:
        return each, "*"
    values = [value(each, column) for column in each.columns]
    absent = [gone(column) for column in each.columns]
    odd = (
        f"count(*) FILTER (NOT coalesce(isfinite({v}), false) AND NOT {g})"
        for v, g in zip(values, absent, strict=True)
    )
    try:
        each.attach(con)
        rows, *counts = answered(con, f"SELECT count(*), {', '.join(odd)} FROM {each.relation}")[0]
    except failures() as error:
        if each.exact:
            for _ in each.text.data():
                pass  # whose own sentence about an odd row is better
            raise ReadError(f"{each.name}: {said(error)}") from error
        return _typed(con, each.exactly())
    if not rows and not each.exact:
        return _typed(con, each.exactly())
    names = each.names or (
        ["value"] if len(values) == 1 else [f"column{j + 1}" for j in range(len(values))]
    )
    return each, ", ".join(
        f"{column.key if count else v} AS {identifier(name)}"
        for column, v, count, name in zip(each.columns, values, counts, names, strict=True)
    )
