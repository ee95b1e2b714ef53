"""Text files as relations of DuckDB: quickly where every row is as the first ones are, exactly where not."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gmm1d.readers.cells import SPACE
from gmm1d.readers.tables import BLANKS, HEAD, LINES, Layout

if TYPE_CHECKING:
    from gmm1d.readers.locations import Place

TAIL = 1 << 12  # bytes
LONGEST_LINE = 1 << 25  # bytes, where a first line is longer than the head
TRIMMED = f"trim(c0, '{SPACE}')"
WORDS = f"regexp_split_to_array({TRIMMED}, '[{SPACE}]+')"


def relation(place: Place, text: Layout) -> str:
    """Write what stands behind FROM: rows of the cells c0, c1 …, as they are written.

    A row of another width is an error of DuckDB's, or has cells that are no numbers, so that whoever finds
    them can look again, with `Layout.rows`.
    """
    in_lines = text.delimiter in (LINES, BLANKS)
    width = max(len(text.first), 1)
    keys = ["c0"] if in_lines else [f"c{j}" for j in range(width)]
    options = {
        "auto_detect": "false",
        "delim": "'\x01'" if len(keys) == 1 else f"'{text.delimiter}'",
        "quote": "''" if in_lines else "'\"'",
        "escape": "''" if in_lines else "'\"'",
        "comment": "''",
        "allow_quoted_nulls": "false",
        "header": "false",
        "skip": str(text.skip),
        "encoding": f"'{text.encoding.removesuffix('-sig')}'",
        "columns": "{" + ", ".join(f"'{key}': 'VARCHAR'" for key in keys) + "}",
    }
    if text.long_lines:
        options["max_line_size"] = str(LONGEST_LINE)
    path = place.path.replace("'", "''")
    written = ", ".join(f"{key} = {value}" for key, value in options.items())
    rows = f"read_csv('{path}', {written})"
    if text.comments:
        rows = f"(SELECT split_part(c0, '#', 1) AS c0 FROM {rows}) AS remarked"
    if text.comments or text.ragged or text.delimiter == BLANKS:
        rows = f"(FROM {rows} WHERE {TRIMMED} <> '') AS lines"
    elif (width == 1 or in_lines) and _has_blank_lines(place):
        # A blank line is no value; "", quoted, is a missing one.
        rows = f"(FROM {rows} WHERE c0 IS NOT NULL) AS lines"
    if text.ragged:
        rows = f"(SELECT unnest({WORDS}) AS c0 FROM {rows}) AS words"
    elif text.delimiter == BLANKS:
        cells = (
            f"CASE len(w) WHEN {width} THEN w[{j + 1}] ELSE 'ragged' END AS c{j}"
            for j in range(width)
        )
        rows = (
            f"(SELECT {', '.join(cells)} FROM (SELECT {WORDS} AS w FROM {rows}) AS rows) AS cells"
        )
    return rows


def guessed_rows(place: Place, text: Layout) -> int | None:
    """Guess how many rows there are, for a progress bar."""
    if text.ragged:
        return None
    head = place.head(HEAD)
    return Path(place.path).stat().st_size * max(head.count(b"\n"), 1) // len(head)


def _has_blank_lines(place: Place) -> bool:
    """Look for blank lines at both ends of a file; one elsewhere is found when it is read."""
    with place.open() as stream:
        ends = [stream.read(HEAD)]
        if len(ends[0]) == HEAD:
            stream.seek(-TAIL, os.SEEK_END)
            ends.append(stream.read())
    return any(re.search(rb"\n\r?\n|\r\r", b"\n" + end) for end in ends)
