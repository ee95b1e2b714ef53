"""The default search on samples of the densities of Marron and Wand, at their true k, against the best optima known.

Marron and Wand (1992), Exact mean integrated squared error, Annals of Statistics 20:712-736, table 1.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from figures import Figure
from judging import WITHIN, Judged, endings, judge, misses

import gmm1d

if TYPE_CHECKING:
    from marron_wand_best import Entry
    from numpy.typing import NDArray

DENSITIES = Path(__file__).parents[1] / "tests" / "data" / "marron_wand.json"
SIZES = (200, 2_000, 10_000)
SEEDS = range(10)
Problem = tuple[int, int, int]  # density, n, seed
PROBLEMS: tuple[Problem, ...] = tuple(
    (density, n, seed) for n, density, seed in product(SIZES, range(1, 16), SEEDS)
)


@cache
def densities() -> dict[int, dict[str, Any]]:
    """Return the fifteen densities by number."""
    listed = json.loads(DENSITIES.read_text("utf-8"))["densities"]
    return {density["id"]: density for density in listed}


def components(density: int) -> int:
    """Return the true k."""
    return int(densities()[density]["k"])


def truth(density: int) -> gmm1d.Mixture:
    """Return the density itself."""
    d = densities()[density]
    return gmm1d.Mixture(d["weights"], d["means"], d["sds"])


def sample(density: int, n: int, seed: int) -> NDArray[np.float64]:
    """Draw n values: first all labels, then all normals."""
    d = densities()[density]
    rng = np.random.default_rng(seed)
    label = rng.choice(d["k"], size=n, p=np.array(d["weights"]))
    return rng.normal(np.array(d["means"])[label], np.array(d["sds"])[label])


def measure() -> list[Figure]:
    from marron_wand_best import check, read

    entries = read()
    judged = []
    for problem in PROBLEMS:
        density, n, seed = problem
        x = sample(density, n, seed)
        check(entries[problem], x)
        case = f"MW{density} n={n} seed {seed}"
        judged.append(judge(case, x, components(density), entries[problem].best))
    figures = [_share("all", judged, at_least=0.93)]
    for n in SIZES:
        of_size = [one for one, problem in zip(judged, PROBLEMS, strict=True) if problem[1] == n]
        figures.append(_share(f"n = {n}", of_size))
    found = [entries[problem] for problem in PROBLEMS]
    figures += [
        _below("scikit-learn", judged, [entry.scikit_learn for entry in found]),
        _below("mclust", judged, [entry.mclust for entry in found]),
        *endings("all", judged),
        _risen(judged, found),
    ]
    return figures


def _share(what: str, judged: list[Judged], at_least: float | None = None) -> Figure:
    """Return the share that reached the best, of those where a regular optimum is known."""
    known = [one for one in judged if one.best is not None]
    reached = [one.reached for one in known]
    note = f"{sum(reached)} of {len(known)}; missed: {misses(known) or 'none'}"
    name = f"{what}: default fits within 0.01 of the best regular log-likelihood, share"
    return Figure(name, float(np.mean(reached)), at_least=at_least, note=note)


def _below(peer: str, judged: list[Judged], theirs: list[float | None]) -> Figure:
    """Return how far a default fit is below a peer's regular default fit, at worst.

    What is no regular optimum is infinitely far below, unless no regular optimum is known: then the peer stopped on its
    way into a spike, and the log-likelihoods are compared as they are.
    """
    gaps = {
        one.case: level - (one.fit.log_likelihood if one.best is None else one.level)
        for one, level in zip(judged, theirs, strict=True)
        if level is not None
    }
    worst = max(gaps, key=gaps.__getitem__)
    count = sum(gap > WITHIN for gap in gaps.values())
    note = f"{worst}; {count} of {len(gaps)} regular fits of {peer} are above by more than {WITHIN}"
    name = f"{peer}'s regular default log-likelihood above ours, worst"
    return Figure(name, gaps[worst], at_most=WITHIN, note=note)


def _risen(judged: list[Judged], entries: list[Entry]) -> Figure:
    """Tell how many default fits are above the file: then it wants to be raised."""
    count = sum(
        one.level > (-np.inf if entry.best is None else entry.best + WITHIN)
        for one, entry in zip(judged, entries, strict=True)
    )
    note = "raise them with marron_wand_best.py" if count else ""
    return Figure("default fits above the file's best by more than 0.01", count, note=note)
