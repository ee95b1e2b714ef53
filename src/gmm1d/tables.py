"""Delimited text as rows of cells: the separator, the header line, the column that is meant.

What can be read in two ways (header or data? which of several columns?) is an error, never a guess.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from gmm1d.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Row = tuple[int, list[str]]  # line, from 1, and its cells

_WORDS = re.compile(r"[^ \t\r\n\f\v]+")  # ASCII blanks only: a no-break space stays in its number
_NUMBER_LIKE = re.compile(r"[\d\s+\-.,$€£¥'\"]")  # how a number begins, well written or not
_MISSING = frozenset(
    ("", "?", "na", "n/a", "nan", "null", "none", "inf", "+inf", "-inf", "infinity", "-infinity")
)


class Cell(NamedTuple):
    """One cell: its line and column, both from 1, the column's name if it has one, and its text."""

    line: int
    column: int
    name: str
    text: str

    @property
    def is_missing(self) -> bool:
        """Whether it is empty or says that there is no finite value."""
        return self.text.strip().lower() in _MISSING

    @property
    def is_name(self) -> bool:
        """Whether it can only be a name: no number, however badly written, and no missing value."""
        return _is_name(self.text)


@dataclass(frozen=True)
class Table:
    """Rows of cells in text that errors call `source`; the delimiter " " is any run of blanks."""

    source: str
    data: bytes
    encoding: str
    delimiter: str = " "

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends, whatever these are."""
        return io.TextIOWrapper(io.BytesIO(self.data), self.encoding, newline="")

    def rows(self) -> Iterator[Row]:
        """Yield every row that is neither blank nor a comment."""
        if self.delimiter == " ":
            for line, text in enumerate(self.lines(), start=1):
                if words := _WORDS.findall(text.partition("#")[0]):
                    yield line, words
            return
        reader = csv.reader(self.lines(), delimiter=self.delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                blank = not cells or (len(cells) == 1 and cells[0].isspace())
                if not blank and not cells[0].startswith("#"):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise ReadError(f"{self.source}, line {line}: {error}") from error


def read_cells(source: str, data: bytes, column: str | int | None) -> Iterator[Cell]:
    """Find the cells that are meant: one column, or all numbers between blanks.

    Raises
    ------
    ReadError
        If there are none, if the header or the column is missing or ambiguous, or if the rows differ
        in width (raised where the odd row stands).
    """
    try:
        data.decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "latin-1"  # never fails; only names of columns need more than ASCII
    table = Table(source, data, encoding)
    delimiter = _delimiter(table, column)
    if delimiter is None:
        for line, words in table.rows():
            yield from (Cell(line, j, "", word) for j, word in enumerate(words, start=1))
        return
    rows = replace(table, delimiter=delimiter).rows()
    line, first = next(rows)
    names = [cell.strip() for cell in first]
    if _is_header(source, line, names):
        line, first = next(rows, (line, []))
        if not first:
            raise ReadError(f"{source}: no data rows below the header {', '.join(names)}")
        _check_width(source, line, first, len(names))
    else:
        names = []
    index = _choose(source, names, first, column)
    name = names[index] if names else ""
    yield from _one_column(source, chain([(line, first)], rows), index, name, len(names or first))


def _one_column(
    source: str, rows: Iterable[Row], index: int, name: str, width: int
) -> Iterator[Cell]:
    """Yield the cells of one column; every row must be as wide as the first."""
    for line, cells in rows:
        _check_width(source, line, cells, width)
        yield Cell(line, index + 1, name, cells[index])


def _check_width(source: str, line: int, cells: Sequence[str], width: int) -> None:
    if len(cells) != width:
        found = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        raise ReadError(f"{source}, line {line}: {found}, where the first row has {width}")


def _delimiter(table: Table, column: str | int | None) -> str | None:
    """Tell what separates columns, from the first two lines; None if all numbers are one sample."""
    head = list(islice(table.rows(), 2))
    if not head:
        raise ReadError(f"{table.source}: no data, only comments")
    line, words = head[0]
    text = re.sub(r'"[^"]*"', '""', next(islice(table.lines(), line - 1, None)))
    for mark in "\t;,":
        if mark in text:
            return mark
    if column is None and not any(_is_name(word) or '"' in word for word in words):
        return None
    # Columns between blanks have as many names as numbers; else the line is one column's title.
    return " " if len(words) > 1 and len(words) == len(head[-1][1]) else ","


def _is_name(text: str) -> bool:
    """Tell whether a cell can only be a name: no number, however badly written, and not missing."""
    text = text.strip().strip('"')
    has_letter = any(char.isalpha() for char in text)
    return has_letter and text.lower() not in _MISSING and not _NUMBER_LIKE.match(text)


def _is_header(source: str, line: int, cells: Sequence[str]) -> bool:
    """Tell a line of names from a line of data; what could be either is an error."""
    named = [_is_name(cell) for cell in cells]
    # Row labels often have no name: the first cell of a header may be empty.
    if any(named) and all(named[1:]) and (named[0] or not cells[0]):
        return True
    if any(named) or (not all(cells) and len(cells) > 1):
        odd = next(cell for cell, name in zip(cells, named, strict=True) if not name)
        raise ReadError(
            f"{source}, line {line}: header or data? {odd!r} stands among names or empty cells; "
            "put a line of column names at the top"
        )
    return False


def _choose(
    source: str, names: Sequence[str], first: Sequence[str], column: str | int | None
) -> int:
    """Return the index of the column that is meant; `first` is the first row of data."""
    listed = ", ".join(names) if names else f"1 to {len(first)}, without names"
    if column is None:
        possible = [j for j, cell in enumerate(first) if not _is_name(cell)]
        if len(first) == 1 or len(possible) == 1:
            return (possible or [0])[0]
        raise ReadError(f"{source}: {len(first)} columns, choose one by name or number: {listed}")
    wanted = str(column).strip()
    places = [j for j, name in enumerate(names) if name == wanted]
    numbers = {str(j + 1): j for j in range(len(first))}
    if len(places) > 1:
        same = " and ".join(str(j + 1) for j in places)
        raise ReadError(f"{source}: columns {same} share the name {wanted!r}, choose by number")
    if places:
        return places[0]
    if wanted in numbers:
        return numbers[wanted]
    lowered = {name.lower(): name for name in names}
    near = get_close_matches(wanted.lower(), lowered, n=1)
    hint = f" (did you mean {lowered[near[0]]!r}?)" if near else ""
    raise ReadError(f"{source}: no column {wanted!r}{hint}; columns: {listed}")
