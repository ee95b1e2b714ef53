"""The default search on S = log-likelihood + 3/2 Σ log σ_j + Σ log π_j, against the best finite optima known of it.

The samples are 450 of Marron and Wand's densities at their true k, and the public data sets at k = 2 to 6.
`python search.py PATTERN` judges the problems in whose names the regular expression is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import search_best
from figures import Figure
from s_climb import climb_s
from spread import spread

import gmm1d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from search_best import Entry

WITHIN = 0.01  # an S no further below the best has reached it
SHARE = 0.97
RISEN = 1e-3  # what is so far above the file's best wants to be kept there


@dataclass(frozen=True)
class Judged:
    """One problem: the best S known, and that which was found, both None where there is no finite optimum."""

    name: str
    best: float | None
    found: float | None

    @property
    def short(self) -> float:
        """How far it is below the best known, infinitely where there is nothing."""
        if self.best is None:
            return -np.inf
        return np.inf if self.found is None else self.best - self.found

    def missing(self) -> str:
        how = f"by {self.short:.2g}" if np.isfinite(self.short) else "no finite optimum"
        return f"{self.name} {how}"


def found(x: NDArray[np.float64], k: int) -> float | None:
    """Return the S of the default fit: of the optimum of S that lies where it ended, polished or not."""
    end = climb_s(x, gmm1d.fit(x, k, threads=1).mixture)
    return None if end is None else end[0]


def judged(entry: Entry, find: Callable[[NDArray[np.float64], int], float | None]) -> Judged:
    """Search one problem."""
    x = entry.problem.x
    search_best.check(entry, x)
    return Judged(str(entry.problem), entry.best, find(x, entry.problem.k))


def _default(entry: Entry) -> Judged:
    return judged(entry, found)


def measure(only: str = "") -> list[Figure]:
    best = search_best.read()
    entries = [best[problem] for problem in search_best.named(only)]
    results = list(zip(entries, spread(_default, entries), strict=True))
    figures = [share("all", [one for _, one in results], SHARE)]
    for kind in dict.fromkeys(map(_kind, entries)):
        figures.append(share(kind, [one for entry, one in results if _kind(entry) == kind]))
    risen = [one.name for _, one in results if one.found is not None and one.short < -RISEN]
    names = f"raise them with search_best.py: {'; '.join(risen)}" if risen else ""
    return [*figures, Figure("found above the file's best", len(risen), note=names)]


def _kind(entry: Entry) -> str:
    return f"Marron and Wand, n = {entry.problem.n}" if entry.problem.density else "public data"


def share(what: str, results: Sequence[Judged], at_least: float | None = None) -> Figure:
    """Return the share that reached the best, of those of which a finite optimum is known; every miss is listed."""
    known = [one for one in results if one.best is not None]
    missed = sorted((one for one in known if one.short > WITHIN), key=lambda one: -one.short)
    names = "; ".join(one.missing() for one in missed) if at_least else ""
    note = f"{len(known) - len(missed)} of {len(known)}" + (f"; missed: {names}" if names else "")
    name = f"{what}: S within {WITHIN:g} of the best known, share"
    value = 1 - len(missed) / len(known) if known else nan
    return Figure(name, value, at_least=at_least, note=note)


if __name__ == "__main__":
    import sys

    for figure in measure(*sys.argv[1:2]):
        print("  ".join(figure.row()))
