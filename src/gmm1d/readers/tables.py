"""Text as rows of cells: the separator, the header line, the column that is meant, and every row exactly.

What can be read in two ways (header or data? which of several columns?) is an error, never a guess.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from gmm1d.errors import ReadError
from gmm1d.readers.cells import Cell, is_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Row = tuple[int, list[str]]  # line, from 1, and its cells

HEAD = 1 << 20  # bytes that tell the layout
LISTED = 20  # names in a sentence
LOOKED_AT = 1000  # rows of it that tell whether all have one number
BLANKS = " "  # the separator of columns that stands for any run of blanks
LINES = ""  # no columns: every number between blanks is a value
_WORDS = re.compile(r"[^ \t\r\n\f\v]+")  # ASCII blanks only: a no-break space stays in its number


@dataclass(frozen=True)
class Layout:
    """How a text is cut into cells.

    Attributes
    ----------
    source : str
        What errors call the text.
    open : function
        Returns its bytes, decompressed, as a stream.
    encoding : str
    delimiter : str
        ``BLANKS`` for any run of blanks, ``LINES`` if all numbers between blanks are one sample.
    names : tuple of str
        Of the columns; empty if there is no header line.
    skip : int
        The number of lines above the data.
    first : tuple of str
        The first row of data.
    ragged : bool
        Whether some line of the head holds several numbers.
    comments : bool
        Whether there are any in the head, between numbers or words.
    long_lines : bool
        Whether the head is a single line.
    quoted_above : bool
        Whether there is a quotation mark in a comment above the first row.
    decimal : {".", ","}
        The mark before the fractional part of numbers.
    """

    source: str
    open: Callable[[], BinaryIO]
    encoding: str
    delimiter: str = LINES
    names: tuple[str, ...] = ()
    skip: int = 0
    first: tuple[str, ...] = ()
    ragged: bool = False
    comments: bool = False
    long_lines: bool = False
    quoted_above: bool = False
    decimal: str = "."

    @property
    def possible(self) -> tuple[int, ...]:
        """The columns that may hold numbers, by the first row."""
        return tuple(j for j, cell in enumerate(self.first) if not is_name(cell))

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends, whatever these are."""
        with io.TextIOWrapper(self.open(), self.encoding, "replace", newline="") as text:
            yield from text

    def rows(self) -> Iterator[Row]:
        """Yield every row that is neither blank nor a comment above the first one, header and all."""
        if self.delimiter in (BLANKS, LINES):
            for line, text in enumerate(self.lines(), start=1):
                if words := _WORDS.findall(text.partition("#")[0]):
                    yield line, words
            return
        reader = csv.reader(
            self.lines(), delimiter=self.delimiter, skipinitialspace=True, strict=True
        )
        line, begun = 1, False
        try:
            for cells in reader:
                blank = not cells or (len(cells) == 1 and cells[0].isspace())
                if not blank and (begun or not cells[0].startswith("#")):
                    begun = True
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise ReadError(f"{self.source}, line {line}: {error}") from error

    def data(self) -> Iterator[Row]:
        """Yield the rows below the header, all as wide as the first.

        What begins with "#" is a comment only if it cannot be such a row.

        Raises
        ------
        ReadError
            Where the odd row stands.
        """
        width = len(self.first)
        for line, cells in self.rows():
            if line <= self.skip:
                continue
            if _is_comment(cells, width):
                continue
            if len(cells) == width + 1 and not cells[-1]:  # a separator at the end of the line
                cells = cells[:-1]
            if self.delimiter != LINES and len(cells) != width:
                found = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                raise ReadError(
                    f"{self.source}, line {line}: {found}, where the first row has {width}"
                )
            yield line, cells

    def cells(self, index: int) -> Iterator[Cell]:
        """Yield the cells of one column, or all numbers between blanks."""
        name = self.names[index] if self.names else ""
        for line, cells in self.data():
            if self.delimiter != LINES:
                yield Cell(f"line {line}", index + 1, name, cells[index], self.decimal)
                continue
            for j, word in enumerate(cells, start=1):
                yield Cell(f"line {line}", j, "", word, self.decimal)


def layout(
    source: str, opened: Callable[[], BinaryIO], *, columns: bool, decimal: str = "."
) -> Layout:
    """Tell how a text is laid out, from its first lines.

    Parameters
    ----------
    source : str
        What errors call it.
    opened : function
        Returns its bytes as a stream.
    columns : bool
        Whether columns are asked for, so that blanks separate them.
    decimal : {".", ","}
        The mark before the fractional part of numbers; a comma then separates no columns.

    Raises
    ------
    ReadError
        If it is empty, or its first lines can be read in two ways.
    """
    with opened() as stream:
        head = stream.read(HEAD)
    whole = len(head) < HEAD
    head = head if whole else head[: head.rfind(b"\n") + 1] or head
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise ReadError(f"{source}: no data, the file is empty")
    text = Layout(source, lambda: io.BytesIO(head), _encoding(head, whole), decimal=decimal)
    delimiter = _delimiter(text, columns=columns)
    long_lines = b"\n" not in head and not whole
    if long_lines and delimiter != LINES:
        raise ReadError(f"{source}, line 1: more than {HEAD} bytes, too many for a row of a table")
    text = replace(text, delimiter=delimiter)
    above, names, line, first = _top(text)
    ragged = any(len(row) > 1 for _, row in islice(text.rows(), LOOKED_AT))
    found = replace(
        text,
        open=opened,
        names=names,
        skip=line - 1,
        first=tuple(first),
        ragged=delimiter == LINES and ragged,
        comments=delimiter in (LINES, BLANKS) and b"#" in head,
        long_lines=long_lines,
        quoted_above=any('"' in line for line in islice(text.lines(), above)),
    )
    if names and len(first) != len(names):
        next(replace(found, first=names).data(), None)  # says which line is odd
        found = replace(found, first=found.first[: len(names)])
    return found


def _top(text: Layout) -> tuple[int, tuple[str, ...], int, list[str]]:
    """Return how many lines are above the first row, the names in it if it is a header, and the first row of data with its line."""
    rows = text.rows()
    line, first = next(rows)
    above, names = line - 1, tuple(cell.strip() for cell in first)
    if text.delimiter == LINES or not _is_header(text.source, line, names):
        return above, (), line, first
    for line, first in rows:
        if not _is_comment(first, len(names)):
            return above, names, line, first
    shown = ", ".join(names[:LISTED]) + (" …" if len(names) > LISTED else "")
    raise ReadError(f"{text.source}: no data rows below the header {shown}")


def _is_comment(cells: Sequence[str], width: int) -> bool:
    """Tell a comment from a row so wide; a label may begin with "#", a number may not."""
    return cells[0].startswith("#") and (len(cells) != width or width == 1)


def _encoding(head: bytes, whole: bool) -> str:
    """Tell the encoding; only names of columns need more than ASCII, and Latin-1 never fails."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _delimiter(table: Layout, *, columns: bool) -> str:
    """Tell what separates columns, from the first two rows."""
    head = list(islice(table.rows(), 2))
    if not head:
        raise ReadError(f"{table.source}: no data, only comments")
    line, words = head[0]
    text = re.sub(r'"[^"]*"', '""', next(islice(table.lines(), line - 1, None)))
    for mark in "\t;,":
        if mark in text and mark != table.decimal:
            return mark
    if not columns and not any(is_name(word) or '"' in word for word in words):
        return LINES
    # Columns between blanks have as many names as numbers; else the line is one column's title.
    return (
        BLANKS
        if len(words) > 1 and len(words) == len(head[-1][1])
        else ";"
        if table.decimal == ","
        else ","
    )


def _is_header(source: str, line: int, cells: Sequence[str]) -> bool:
    """Tell a line of names from a line of data; what could be either is an error."""
    named = [is_name(cell) for cell in cells]
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
