"""What a write-up is made of: sections of text, tables, formulas and pictures, all decided; it renders nothing.

Everything is text as it is to be read, without markup: whoever renders it escapes it. Pictures are named, and drawn from the comparison by whoever shows them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from gmm1d.comparison import Comparison
    from gmm1d.families import Key


@dataclass(frozen=True)
class Text:
    """A paragraph; `warning` if it says what must not be overlooked."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values, a row each; a name that is empty goes on with the one above."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """A table with its caption; the cells are text.

    Attributes
    ----------
    words : tuple of int
        The columns that hold words, to be aligned on the left; the others hold numbers.
    chosen : int or None
        The row of what was chosen.
    marked : tuple of (int, int)
        Row and column of the cells with the lowest criterion, where that is the point.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = ()
    chosen: int | None = None
    marked: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Model:
    """The formula of every mixture: p(x) = Σ_j π_j N(x | μ_j, σ_j²) with the Gaussian's own."""


@dataclass(frozen=True)
class Formula:
    """A fitted density: its terms are (weight, mean, std), each a number as text, perhaps with an exponent as in 1e-07."""

    label: str
    terms: tuple[tuple[str, str, str], ...]
    chosen: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture by its name.

    Attributes
    ----------
    kind : {"fit", "criteria", "check", "multiples"}
        A fit; the criteria against k; whether a fit agrees with the data (`gmm1d.plots.plot_pit`); all fits that were
        stopped (`Writeup.stopped`).
    caption : str
        What stands below.
    alt : str
        What it shows, in words.
    k, family : int and str, or None
        Which fit.
    """

    kind: str
    caption: str
    alt: str
    k: int | None = None
    family: str | None = None

    @property
    def key(self) -> Key:
        """The fit that is shown, by k and family."""
        assert self.k is not None
        assert self.family is not None
        return self.k, self.family


@dataclass(frozen=True)
class Code:
    """Lines that can be run."""

    text: str


Block: TypeAlias = Text | Facts | Table | Model | Formula | Picture | Code


@dataclass(frozen=True)
class Section:
    """A part with a title; `key` is its name among the others of its kind.

    Keys, in their order: "answer", "choice", "criteria", "formulas", "pictures", "growth", "stopped", "parameters", "check", "evidence", "data".
    """

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Writeup:
    """All that a write-up says.

    Attributes
    ----------
    title : str
    summary : str
        The answer in one or two sentences; the first text of the first section.
    xlabel : str
        What x is.
    date : datetime
        When it was made, in UTC.
    version : str
        Of gmm1d.
    sections : tuple of Section
    found : Comparison
        What the pictures show, and what the choice was made from.
    stopped : Comparison or None
        The fits that were stopped before their ends, where `found` goes on from them.
    span : (float, float)
        The stretch of x that all pictures of fits show.
    """

    title: str
    summary: str
    xlabel: str
    date: datetime
    version: str
    sections: tuple[Section, ...]
    found: Comparison
    stopped: Comparison | None
    span: tuple[float, float]

    def section(self, key: str) -> Section | None:
        """Return the section of this key, or None if there is none."""
        return next((each for each in self.sections if each.key == key), None)


def plain(text: str) -> str:
    """Return text that every format can hold: what is no character, or one that controls devices, is replaced."""
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in text
    )


def signed(text: str) -> str:
    """Write minus signs of numbers as such, not as hyphens."""
    return re.sub(r"(^|[( ])-(?=\d)", r"\1−", text)


def typeset(section: Section) -> Section:
    """Return a section with such minus signs in texts and tables; facts may hold names, so their authors write them."""
    return replace(section, blocks=tuple(map(_typeset, section.blocks)))


def _typeset(block: Block) -> Block:
    match block:
        case Text():
            return replace(block, text=signed(block.text))
        case Table():
            return replace(block, rows=tuple(tuple(map(signed, row)) for row in block.rows))
    return block


def numbered(n: int, noun: str) -> str:
    """Write "1 group" or "3 groups"."""
    return f"{n} {noun}{'s' * (n != 1)}"


def sentence(text: str) -> str:
    """Write what has no capital and no full stop as a sentence; "k = 2" keeps its letter."""
    first = text[:1] if text.startswith("k =") else text[:1].upper()
    return f"{first}{text[1:]}."
