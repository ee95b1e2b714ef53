"""Speed at every k: gmm1d's default fit beside scikit-learn's, one thread each, on samples of mixtures of every kind.

`python peers_k.py N K [PROBLEMS [FIRST]]` times one cell alone, from the seed FIRST on.
"""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING

import marron_wand
import numpy as np
from figures import Figure
from peers import duration

import gmm1d

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FIRST = 10_000  # of the seeds
PROBLEMS, FEW = 20, 2  # in a cell, and where scikit-learn takes a minute for one
TURNS, STRETCH, BUDGET = (
    5,
    0.02,
    1.0,
)  # of each fit, seconds of each, and seconds for all turns of a problem
KS = (4, 6, 8, 10)
AT_EVERY_K = {300: 0.5, 3000: 1.0, 10_000: 1.0}  # scikit-learn's time over gmm1d's, at least
WORST = 0.5  # of that, for every single problem
AT_SMALL_K = {(200, 2): 20.0, (1000, 3): 5.0}
MILLION = {3: 80.0, 6: 60.0, 8: 60.0}
COMPARED = range(1, 9)  # all of them in less time than scikit-learn's fit of the last


@dataclass(frozen=True)
class Race:
    """One problem: its name, and the median seconds of gmm1d and of scikit-learn."""

    problem: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


def random_mixture(k: int, rng: np.random.Generator) -> gmm1d.Mixture:
    """Draw k Gaussians, three apart on average, of standard deviations from 1/4 to 2 and any weights."""
    return gmm1d.Mixture(
        rng.dirichlet(np.full(k, 2.0)), rng.uniform(0, 3 * k, k), 2.0 ** rng.uniform(-2, 1, k)
    )


def problem(n: int, k: int, seed: int) -> tuple[str, NDArray[np.float64]]:
    """Return name and sample: of a random mixture of k where the seed is even, else of any of Marron and Wand's."""
    rng = np.random.default_rng(seed)
    if seed % 2 == 0:
        return f"random mixture {seed}", random_mixture(k, rng).rvs(n, rng=rng)
    density = int(rng.integers(1, 16))
    return f"MW{density} seed {seed}", marron_wand.sample(density, n, seed)


def in_turn(ways: tuple[Callable[[], object], ...], turns: int = TURNS) -> tuple[float, ...]:
    """Return the median seconds of each way.

    They take turns, so that a busy machine delays all alike; what is quick is repeated within its turn, so that its
    median is that of a running program.
    """
    times: list[list[float]] = [[] for _ in ways]
    end = time.perf_counter() + BUDGET
    for _ in range(turns):
        for way, of_way in zip(ways, times, strict=True):
            begin = now = time.perf_counter()
            while now == begin or now < begin + STRETCH:
                before = now
                way()
                now = time.perf_counter()
                of_way.append(now - before)
        if time.perf_counter() > end:
            break
    return tuple(median(of_way) for of_way in times)


def scikit_learn(x: NDArray[np.float64], k: int) -> object:
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(k, random_state=0).fit(x[:, None])


def race(name: str, x: NDArray[np.float64], k: int, turns: int = TURNS) -> Race:
    """Time both on one sample, one thread each."""
    from threadpoolctl import threadpool_limits

    ways = (partial(gmm1d.fit, x, k, threads=1), partial(scikit_learn, x, k))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gmm1d.fit(x[:1000], 2)  # what is only loaded on first use
        scikit_learn(x[:1000], 2)
        return Race(name, *in_turn(ways, turns))


def cell(
    n: int, k: int, problems: int = PROBLEMS, first: int = FIRST, turns: int = TURNS
) -> list[Race]:
    """Time all problems of one n and k."""
    races = []
    for seed in range(first, first + problems):
        name, x = problem(n, k, seed)
        races.append(race(name, x, k, turns))
    return races


def rows(n: int, k: int, races: list[Race], at_least: float | None = None) -> list[Figure]:
    """Return a cell's geometric mean of scikit-learn's time over gmm1d's, and its worst."""
    mean = exp(float(np.mean([log(one.ratio) for one in races])))
    worst = min(races, key=lambda one: one.ratio)
    ours, theirs = (median([getattr(one, who) for one in races]) for who in ("ours", "theirs"))
    what = f"n = {n}, k = {k}: scikit-learn / gmm1d"
    return [
        Figure(
            f"{what}, geometric mean of {len(races)}",
            mean,
            at_least=at_least,
            note=f"medians {duration(theirs)} / {duration(ours)}",
        ),
        Figure(
            f"{what}, worst",
            worst.ratio,
            at_least=None if at_least is None else WORST * at_least,
            note=f"{worst.problem}: {duration(worst.theirs)} / {duration(worst.ours)}",
        ),
    ]


def bound(n: int, k: int) -> float | None:
    """Return the least that a cell's geometric mean must be, if anything."""
    if n == 1_000_000:
        return MILLION.get(k)
    return AT_SMALL_K.get((n, k), AT_EVERY_K.get(n))


def compared(n: int = 100_000, problems: int = FEW, first: int = FIRST) -> list[Figure]:
    """Return the time to compare all k up to the last over that of scikit-learn's fit of the last."""
    from threadpoolctl import threadpool_limits

    last, found = COMPARED[-1], []
    for seed in range(first, first + problems):
        name, x = problem(n, last, seed)
        ways = (partial(gmm1d.compare, x, COMPARED, threads=1), partial(scikit_learn, x, last))
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(Race(name, *in_turn(ways, 3)))
    return [
        Figure(
            f"n = {n}: compare k = {COMPARED[0]} … {last} / scikit-learn's fit of {last}",
            1 / one.ratio,
            at_most=1,
            note=f"{one.problem}: {duration(one.ours)} / {duration(one.theirs)}",
        )
        for one in found
    ]


def measure() -> list[Figure]:
    cells = [*AT_SMALL_K, *product(AT_EVERY_K, KS)]
    figures = [figure for n, k in cells for figure in rows(n, k, cell(n, k), bound(n, k))]
    for k, at_least in MILLION.items():
        figures += rows(1_000_000, k, cell(1_000_000, k, FEW, 1), at_least)
    return figures + compared()


def main(n: int, k: int, problems: int = PROBLEMS, first: int = FIRST) -> None:
    """Print one cell, problem by problem."""
    races = cell(n, k, problems, first, 1 if n > 100_000 else TURNS)
    for one in races:
        print(f"{one.ratio:8.3g}  {duration(one.theirs)} / {duration(one.ours)}  {one.problem}")
    for figure in rows(n, k, races, bound(n, k)):
        print("  ".join(figure.row()))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*map(int, sys.argv[1:]))
