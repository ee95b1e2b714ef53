"""How numbers, tables and displays are written: the one place for summaries, formulas, HTML and the command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_DIGITS = 16  # that a float64 surely has
ROUNDING = 1e-12


def number(value: float, digits: int = 6) -> str:
    """Write a number with so many significant digits, without a negative zero."""
    return f"{value + 0.0:.{digits}g}"


def count(n: float) -> str:
    """Write how many values there are; of how many they are worth by their weights, six digits."""
    return number(n, 12 if n % 1 == 0 else 6)


def listed(items: Sequence[str]) -> str:
    """Write "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def location(mean: float, std: float, digits: int = 6) -> str:
    """Write a mean with so many significant digits, or more where its std needs them, far from zero.

    What so many digits of the std do not tell from zero is zero.
    """
    if abs(mean) < std * 10.0**-digits:
        return "0"
    size = math.floor(math.log10(max(abs(mean), std))) - math.floor(math.log10(std))
    return number(mean, min(max(size + min(digits, 4), digits), 17))


def estimate(value: float, error: float) -> str:
    """Write an estimate with its standard error: two digits of the error, the value to the same decimal.

    An error of zero or infinity is left out.
    """
    if not 0 < error < math.inf:
        return number(value)
    if error < 10.0**-MOST_DIGITS * abs(value):
        return f"{number(value, MOST_DIGITS + 1)} ± {number(error, 2)}"
    (centre, spread), power = _to_the_decimal_of(error, value, error)
    return f"({centre} ± {spread}){power}" if power else f"{centre} ± {spread}"


def between(low: float, high: float, error: float) -> str:
    """Write an interval to the decimal of the second digit of a standard error."""
    (lower, upper), power = _to_the_decimal_of(error, low, high)
    return f"({lower} to {upper}){power}" if power else f"{lower} to {upper}"


def residue(value: float) -> str:
    """Write what vanishes at an optimum, up to the rounding of sums."""
    return f"below {number(ROUNDING)}" if value < ROUNDING else number(value, 2)


def steps(kinds: Sequence[str]) -> str:
    """Count the steps of a climb by their kinds; the first entry is its start."""
    names = {"em": "EM", "squarem": "SQUAREM", "newton": "Newton"}
    counts = [f"{kinds.count(kind)} {name}" for kind, name in names.items() if kind in kinds]
    return f"{' and '.join(counts) or 0} step{'s' * (len(kinds) != 2)}"


def _to_the_decimal_of(error: float, *values: float) -> tuple[list[str], str]:
    """Write numbers to the second digit of an error, and a common power of ten where %g would have one."""
    first = max(_exponent(value, MOST_DIGITS - 2) for value in (*values, error) if value)
    last = max(_exponent(error, 1) - 1, first - MOST_DIGITS)
    power = 0 if -5 < first < 6 or last <= 0 <= first else first
    digits = power - last
    rounded = (round(value / 10.0**power, digits) + 0.0 for value in values)
    return [f"{value:.{max(digits, 0)}f}" for value in rounded], f"e{power:+03d}" if power else ""


def _exponent(value: float, digits: int) -> int:
    """Return the power of ten of a number that is written with so many decimals."""
    return int(f"{value:.{digits}e}".partition("e")[2])


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out cells in right-aligned columns, two blanks apart."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (
        "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
        for row in [header, *rows]
    )
    return "\n".join(line.rstrip() for line in lines)


def html(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    lines: Iterable[str] = (),
    pictures: Iterable[Element] = (),
) -> str:
    """Write a display of a notebook: pictures, cells as a table, and lines of text, all escaped."""
    whole = Element("div")
    whole.extend(pictures)
    table = SubElement(whole, "table")
    if caption:
        SubElement(table, "caption").text = caption
    _row(SubElement(table, "thead"), "th", header)
    body = SubElement(table, "tbody")
    for row in rows:
        _row(body, "td", row)
    for line in lines:
        SubElement(whole, "p").text = line
    return tostring(whole, "unicode", method="html")


def _row(parent: Element, kind: str, cells: Sequence[str]) -> None:
    row = SubElement(parent, "tr")
    for cell in cells:
        SubElement(row, kind).text = cell
