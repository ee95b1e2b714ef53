"""Files and streams to float64 columns: never a wrong number.

A file is plain text (numbers between blanks, ``#`` begins a comment) or a table (CSV, TSV, columns
between blanks, with or without a header line). What is not a finite number in plain decimal notation
is refused with its file, line, column and value; nothing is skipped or converted by locale.
"""

from __future__ import annotations

import codecs
import math
import os
import re
import sys
import unicodedata
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.errors import ReadError
from gmm1d.tables import read_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gmm1d.tables import Cell

_NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_COMMENT = re.compile(rb"#[^\r\n]*")
_BLANK = re.compile(rb"[ \r\n]")
_PLAIN = b"0123456789+-.eE \r\n"  # no tab: it separates columns
_BLOCK = 1 << 22  # bytes turned into numbers at a time, so that few Python objects live at once
_SHOWN = 40  # characters of a bad value that an error quotes
_BINARY = {
    b"\x1f\x8b": "gzip-compressed",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ": "xz-compressed",
    b"\x28\xb5\x2f\xfd": "Zstandard-compressed",
    b"PK\x03\x04": "a zip archive (as .xlsx, .ods and .npz files are)",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x93NUMPY": "a NumPy .npy file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF-": "a PDF document",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def read_column(
    path: str | os.PathLike[str], column: str | int | None = None
) -> NDArray[np.float64]:
    """Read one column of numbers from a text file.

    Parameters
    ----------
    path : path-like
        Plain text, CSV or TSV in UTF-8 (or Latin-1); ``"-"`` is the standard input.
    column : str or int, optional
        Name in the header line, or number from 1. Needed where several columns could be meant.
        Without it, numbers between blanks are one sample, however many stand on a line.

    Returns
    -------
    ndarray, shape (m,)
        The values, in the order of the file.

    Raises
    ------
    ReadError
        If the file cannot be read, is empty or not text, if the column is missing or ambiguous, or
        if one of its cells is not a finite number; the message names file, line, column and value.
    """
    source, data = _load(path)
    values = _plain_numbers(data) if column is None else None
    return _exact_numbers(source, read_cells(source, data, column)) if values is None else values


def _load(path: str | os.PathLike[str]) -> tuple[str, bytes]:
    """Return what errors call the file, and its bytes without the byte-order mark."""
    source = os.fspath(path)
    try:
        if source == "-":
            source = "standard input"
            data = sys.stdin.buffer.read() if sys.stdin else b""
        else:
            data = Path(path).read_bytes()
    except OSError as error:
        raise ReadError(f"{source}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the path
        raise ReadError(f"{source!r}: {error}") from error
    for magic, kind in _BINARY.items():
        if data.startswith(magic):
            raise ReadError(f"{source}: this is {kind}, not plain text; convert it to text or CSV")
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise ReadError(f"{source}: no data, the file is empty")
    return source, data


def _plain_numbers(data: bytes) -> NDArray[np.float64] | None:
    """Read numbers between blanks, quickly; None where anything calls for the exact reading."""
    if b"#" in data:
        data = _COMMENT.sub(b"", data)
    if data.translate(None, _PLAIN):
        return None
    parts, start = [], 0
    while start < len(data):
        blank = _BLANK.search(data, start + _BLOCK)
        stop = blank.end() if blank else len(data)
        try:  # in this alphabet float() takes nothing but decimal notation
            parts.append(np.array(data[start:stop].split(), dtype=np.float64))
        except ValueError:
            return None
        start = stop
    values = np.concatenate(parts)
    return values if values.size and bool(np.isfinite(values).all()) else None


def _exact_numbers(source: str, cells: Iterator[Cell]) -> NDArray[np.float64]:
    """Turn cells into numbers; the first that is none raises ReadError."""
    values = array("d")
    for cell in cells:
        value = float(cell.text) if _NUMBER.fullmatch(cell.text) else math.nan
        if not math.isfinite(value):
            name = f" ({cell.name})" if cell.name else ""
            what = _count_missing(cell, len(values), cells) if cell.is_missing else _why(cell)
            raise ReadError(f"{source}, line {cell.line}, column {cell.column}{name}: {what}")
        values.append(value)
    return np.array(values)


def _count_missing(cell: Cell, before: int, after: Iterator[Cell]) -> str:
    """Say that a value is missing, and how many are: a user who knows drops or fills them all."""
    rest = [other.is_missing for other in after]
    what = repr(cell.text.strip()) if cell.text.strip() else "empty cell"
    count = f"{1 + sum(rest)} of {before + 1 + len(rest)} values are missing or not finite"
    return f"{what}; {count}, remove or replace them"


def _why(cell: Cell) -> str:
    """Say why a cell is not a number that can be used."""
    text = cell.text
    shown = repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
    if _NUMBER.fullmatch(text):
        return f"{shown} is beyond the range of float64"
    odd = re.search(r"[^0-9A-Za-z+\-. ]", text.strip())
    if odd is None or cell.is_name:
        return f"{shown} is not a number"
    name = unicodedata.name(odd[0], "control character")
    code = f"U+{ord(odd[0]):04X}"
    return f"{shown} is not a number, it contains {name} ({code}): write -1234.5 or 1e-3"
