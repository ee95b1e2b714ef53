"""Files, databases and queries as relations that DuckDB can scan: text, Parquet, Arrow, JSON, .npy, DuckDB, SQLite.

A file is known by its first bytes, not by its name. Nothing is read here but what tells the columns.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d.errors import ReadError, require
from gmm1d.readers.databases import duckdb_source, sqlite_query, sqlite_source
from gmm1d.readers.relations import TEXT, Column, Source, described, fresh_name, literal
from gmm1d.readers.tables import HEAD, LINES, layout
from gmm1d.readers.texts import guessed_rows, relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from gmm1d.readers.locations import Place

PARQUET, NUMPY = b"PAR1", b"\x93NUMPY"
ARROW = (b"ARROW1", b"\xff\xff\xff\xff")  # a file, and a stream
REFUSED = {
    b"PK\x03\x04": "a zip archive (as .xlsx, .ods and .npz files are)",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89HDF": "an HDF5 file",
    b"%PDF-": "a PDF document",
    b"PARE": "an encrypted Parquet file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"II*\0": "a picture",
    b"MM\0*": "a picture",
    b"RIFF": "a picture, sound or film",
}
MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<svg")


def source(
    con: Any, place: Place, *, columns: bool, table: str | None = None, decimal: str = "."
) -> Source:
    """Tell what a file is and which columns it has.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
    place : Place
    columns : bool
        Whether columns are asked for (see `gmm1d.readers.tables.layout`).
    table : str, optional
        The table of a database that is meant.
    decimal : {".", ","}
        Of the numbers in a text.

    Raises
    ------
    ReadError
        If it is none that can be read, or empty.
    """
    if place.is_remote:
        by_name = ".csv" in place.path or ".tsv" in place.path
        reader = "read_csv({}, all_varchar = true)" if by_name else "{}"
        return described(con, place.name, reader.format(literal(place.path)))
    head = place.head(HEAD)
    for magic, kind in REFUSED.items():
        if head.startswith(magic):
            raise ReadError(f"{place.name}: this is {kind}; convert it to CSV or Parquet")
    if head.lstrip().lower().startswith(MARKUP):
        raise ReadError(f"{place.name}: this is a web page or XML; convert it to CSV")
    if head.startswith(PARQUET):
        return described(con, place.name, f"read_parquet({literal(place.path)})", counted=True)
    if head.startswith(ARROW):
        return _streamed(con, place.name, partial(_arrow, place))
    if head.startswith(NUMPY):
        return _numpy(con, place)
    if is_sqlite(head):
        return sqlite_source(place, sqlite_query(place, table))
    if is_duckdb(head):
        return duckdb_source(con, place, table)
    if b'"schema": "gmm1d.' in head:
        raise ReadError(f"{place.name}: this is a model that gmm1d saved, not data")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        # All of it tells the columns: a name may first be seen late.
        relation = f"read_json_auto({literal(place.path)}, sample_size = -1)"
        return described(con, place.name, relation)
    return text_source(place, columns=columns, decimal=decimal)


def is_sqlite(head: bytes) -> bool:
    """Tell an SQLite file by its first bytes."""
    return head.startswith(b"SQLite format 3\0")


def is_duckdb(head: bytes) -> bool:
    """Tell a DuckDB file by its first bytes."""
    return head[8:12] == b"DUCK"


def text_source(place: Place, *, columns: bool, decimal: str) -> Source:
    """Take text as it is laid out; every cell is a VARCHAR, which `gmm1d.readers` turns into a number.

    Raises
    ------
    ReadError
        If it can be read in two ways, or is empty.
    """
    text = layout(place.name, place.open, columns=columns, decimal=decimal)
    odd = any("\n" in name or "\r" in name for name in text.names) or text.quoted_above
    width = 1 if text.delimiter == LINES else len(text.first)
    names = text.names or [str(j + 1) for j in range(width)]
    found = Source(
        place.name,
        tuple(Column(name, f"c{j}", TEXT) for j, name in enumerate(names)),
        bool(text.names),
        text.possible if width > 1 else (0,),
        relation(place, text),
        rows=guessed_rows(place, text),
        text=text,
    )
    return found.exactly() if odd else found  # DuckDB may count other lines above the data


def _attach_stream(name: str, make: Callable[[], Any], con: Any) -> None:
    """Give DuckDB a fresh stream of Arrow batches: it can be read once."""
    con.register(name, make())


def _streamed(con: Any, name: str, make: Callable[[], Any]) -> Source:
    """Take whatever offers Arrow's stream interface."""
    relation = fresh_name()
    return described(con, name, relation, partial(_attach_stream, relation, make))


def _arrow(place: Place) -> Any:
    """Open an Arrow file, or a stream in a file."""
    pa = require("pyarrow", "cli")
    if place.head(len(ARROW[0])) == ARROW[0]:
        found = require("pyarrow.dataset", "cli").dataset(place.path, format="ipc")
    else:
        found = pa.ipc.open_stream(place.path)
    halves = [field.type == pa.float16() for field in found.schema]  # which DuckDB does not take
    if any(halves):
        reader = found.scanner().to_reader() if hasattr(found, "scanner") else found
        fields = zip(found.schema, halves, strict=True)
        found = reader.cast(pa.schema([f.with_type(pa.float32()) if h else f for f, h in fields]))
    return found


def _numpy(con: Any, place: Place) -> Source:
    """Take a NumPy array (m,) or (m, columns), memory-mapped."""
    pa = require("pyarrow", "cli")
    try:
        array = np.load(place.path, mmap_mode="r", allow_pickle=False)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or not array.size:
            raise ReadError(f"{place.name}: no data, an array of the shape {array.shape}")
        if array.dtype.names:
            raise ReadError(f"{place.name}: records with several fields, save one of them")
        names = [str(j + 1) for j in range(array.shape[1])]
        native = array.dtype.newbyteorder("=")
        native = np.dtype("f8") if native in ("f2", "g") else native
        columns = [pa.array(np.asarray(array[:, j], dtype=native)) for j in range(len(names))]
    except ReadError:
        raise
    except (ValueError, EOFError, OSError, NotImplementedError, pa.ArrowException) as error:
        raise ReadError(f"{place.name}: no array of numbers, {error}") from error
    table = pa.table(columns, names=names)
    return replace(_streamed(con, place.name, lambda: table), named=False, rows=len(array))
