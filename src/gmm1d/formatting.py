"""How numbers and tables are written: the one place for summaries, formulas, HTML and the command line."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def number(value: float, digits: int = 6) -> str:
    """Write a number with so many significant digits, without a negative zero."""
    return f"{value + 0.0:.{digits}g}"


def location(mean: float, std: float, digits: int = 6) -> str:
    """Write a mean with so many significant digits, or more where its std needs them, far from zero."""
    size = math.floor(math.log10(max(abs(mean), std))) - math.floor(math.log10(std))
    return number(mean, min(max(size + min(digits, 4), digits), 17))


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out cells in right-aligned columns, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (
        "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
        for row in [header, *rows]
    )
    return "\n".join(line.rstrip() for line in lines)


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Write cells as an HTML table, escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
