"""Cells of a text: what is a number, what is missing, what can only be a name."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

MISSING = ("", "?", "na", "n/a", "nan", "null", "none")
INFINITE = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
SPACE = " \t\r\n\f\v"  # what surrounds a value and is no part of it; a no-break space is not
NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_NUMBER_LIKE = re.compile(r"[\d\s+\-.,$€£¥'\"]")  # how a number begins, well written or not


class Cell(NamedTuple):
    """One cell: where it stands, as an error says it, the number of its column from 1, its name, its text."""

    place: str
    column: int
    name: str
    text: str
    decimal: str = "."

    @property
    def value(self) -> float:
        """The number that it holds; NaN if that is none."""
        text = self.text
        if self.decimal == ",":  # then a point is no part of a number
            text = text.replace(".", "_").replace(",", ".")
        return float(text) if NUMBER.fullmatch(text) else math.nan

    @property
    def is_missing(self) -> bool:
        """Whether it is empty or says that there is no value."""
        return self.text.strip(SPACE).lower() in MISSING

    @property
    def is_infinite(self) -> bool:
        """Whether it says that the value is infinite."""
        return self.text.strip(SPACE).lower() in INFINITE

    @property
    def is_name(self) -> bool:
        """Whether it can only be a name: no number, however badly written, and no missing value."""
        return is_name(self.text)


def is_name(text: str) -> bool:
    """Tell whether a cell can only be a name: no number, however badly written, and not missing."""
    text = text.strip().strip('"')
    has_letter = any(char.isalpha() for char in text)
    no_value = text.lower() in (*MISSING, *INFINITE)
    return has_letter and not no_value and not _NUMBER_LIKE.match(text)
