"""`Candidates`: the fits among which one is chosen, in order, with their names. Chooses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gmm1d import families
from gmm1d.families import UNEQUAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gmm1d.families import Key
    from gmm1d.result import Fit


class Candidates(NamedTuple):
    """What is chosen among: fits, and the sentences of climbs that collapsed; both by k and family, in this order.

    A mixture of one Gaussian has one variance whatever the family, and is there once.
    """

    families: tuple[str, ...]
    fits: Mapping[Key, Fit]
    collapsed: Mapping[Key, str]

    @property
    def keys(self) -> list[Key]:
        """All that was tried."""
        return sorted([*self.fits, *self.collapsed], key=self.place)

    def name(self, key: Key) -> str:
        """Name a fit: "k = 2 with equal variances"; without the family if nothing else can be meant."""
        return families.name(key, self.families)

    def names(self, keys: Iterable[Key], words: Mapping[Key, str] | None = None) -> str:
        """Name several fits, each perhaps with a word: "k = 2 (flat), 3 (flat) with unequal variances, k = 3 with …"."""
        groups: dict[str, list[Key]] = {}
        for key in sorted(keys, key=self.place):
            groups.setdefault(self.name(key).partition(" with ")[2], []).append(key)
        named = []
        for rest, group in groups.items():
            each = [f"{k} ({words[k, family]})" if words else str(k) for k, family in group]
            named.append(f"k = {', '.join(each)}{f' with {rest}' if rest else ''}")
        return ", ".join(named)

    @property
    def header(self) -> list[str]:
        """The header of the columns of tables that tell fits apart."""
        return ["k"] if self.families == (UNEQUAL,) else ["k", "variances"]

    def cells(self, key: Key) -> list[str]:
        """Return the cells of these columns."""
        k, family = key
        both = k == 1 and len(self.families) > 1
        return [str(k), "both" if both else family][: len(self.header)]

    def line(self, family: str) -> list[Key]:
        """Return the fits of one family in ascending order, with the one of k = 1."""
        return [key for key in self.keys if key in self.fits and (key[0] == 1 or key[1] == family)]

    def of(self, family: str) -> dict[int, Fit]:
        """Return the fits of one family by k, with the one of k = 1."""
        return {key[0]: self.fits[key] for key in self.line(family)}

    @property
    def shared(self) -> tuple[str, ...]:
        """What is noted of every fit alike, such as what the weights were taken as."""
        first, *others = self.fits.values()
        return tuple(
            note for note in first.notes if others and all(note in f.notes for f in others)
        )

    @property
    def notes(self) -> list[str]:
        """What is noted of all fits, then of each with its name, and where climbs collapsed."""
        shared = self.shared
        own = [
            (key, note) for key, f in self.fits.items() for note in f.notes if note not in shared
        ]
        return [
            *shared,
            *(f"{self.name(key)}: {why}" for key, why in [*own, *self.collapsed.items()]),
        ]

    def place(self, key: Key) -> tuple[int, int]:
        """Return where a fit stands among all: by k, then by family."""
        return key[0], self.families.index(key[1])
