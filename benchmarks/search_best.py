"""The highest S known of finite S-optima, with the mixtures that have it: a file whose entries only rise.

`python search_best.py random [N]` raises it by climbs on S from N random starts (60) of every problem, `... peers` from the
fits of scikit-learn, mclust and gmm1d and from the true density, `... hop [SECONDS]` from the best with some components
changed at random, so long for every problem of three or more (1). `--only PATTERN` restricts it to problems in whose names
the regular expression is found, such as "MW6 n=200 seed 3 k=2". Climbs that collapse on tied values, or run to the range of the data, do not count.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
import warnings
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import marron_wand
import numpy as np
from peers_running import R, Runner
from s_climb import climb_s
from spread import spread

import gmm1d

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

FILE = Path(__file__).parent / "data" / "search_best.csv"
TESTS = Path(__file__).parents[1] / "tests"
LEAST = 1e-6  # a smaller rise is rounding
RANDOM_STARTS, SECONDS = 60, 1.0
REAL_KS = range(2, 7)
HEADS = ("data", "n", "seed", "k", "mean", "best", "by", "weights", "means", "stds")
CHUNK = 30  # problems between two writes of the file


@dataclass(frozen=True)
class Problem:
    """A sample and a number of components: of a Marron and Wand density, "MW6", or a public data set by its name."""

    data: str
    n: int
    seed: int
    k: int

    @property
    def x(self) -> NDArray[np.float64]:
        if self.density:
            return marron_wand.sample(self.density, self.n, self.seed)
        return real()[self.data]

    @property
    def density(self) -> int:
        """Its number, 0 of real data."""
        return int(self.data[2:]) if self.data.startswith("MW") else 0

    def __str__(self) -> str:
        seed = f" seed {self.seed}" if self.density else ""
        return f"{self.data} n={self.n}{seed} k={self.k}"


@dataclass(frozen=True)
class Entry:
    """The best of one problem; None where no finite optimum is known."""

    problem: Problem
    mean: float  # of the sample, so that a generator that draws others is noticed
    best: float | None = None
    by: str = ""
    mixture: gmm1d.Mixture | None = None

    def raised(self, end: tuple[float, gmm1d.Mixture] | None, by: str) -> Entry:
        """Return the entry with this optimum where it is higher."""
        if end is None or (self.best is not None and end[0] <= self.best + LEAST):
            return self
        return replace(self, best=end[0], by=by, mixture=end[1])


@cache
def real() -> dict[str, NDArray[np.float64]]:
    """Return the public data sets by name."""
    sys.path.insert(0, str(TESTS))
    from equivariance import datasets

    return datasets()


@cache
def problems() -> tuple[Problem, ...]:
    """Return all problems, in the order of the file."""
    drawn = [
        Problem(f"MW{density}", n, seed, marron_wand.components(density))
        for density, n, seed in marron_wand.PROBLEMS
    ]
    return (*(Problem(name, x.size, 0, k) for name, x in real().items() for k in REAL_KS), *drawn)


def named(pattern: str) -> list[Problem]:
    """Return the problems in whose names a regular expression is found."""
    return [problem for problem in problems() if re.search(pattern, str(problem))]


def read() -> dict[Problem, Entry]:
    """Return the file's entries; those that it lacks are empty."""
    entries = {p: Entry(p, float(f"{p.x.mean():.9g}")) for p in problems()}
    if FILE.exists():
        with FILE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                entry = _entry(row)
                entries[entry.problem] = entry
    return entries


def _entry(row: dict[str, str]) -> Entry:
    problem = Problem(row["data"], int(row["n"]), int(row["seed"]), int(row["k"]))
    mean = float(row["mean"])
    if not row["best"]:
        return Entry(problem, mean)
    w, mu, s = (np.array(row[name].split(), float) for name in ("weights", "means", "stds"))
    mixture = gmm1d.Mixture(w / w.sum(), mu, s)
    return Entry(problem, mean, float(row["best"]), row["by"], mixture)


def write(entries: dict[Problem, Entry]) -> None:
    """Write the file, S to 1e-6 and parameters to ten digits."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADS)
        for p in problems():
            one, m = entries[p], entries[p].mixture
            best = "" if one.best is None else f"{one.best:.6f}"
            parameters = () if m is None else (m.weights, m.means, m.stds)
            words = [" ".join(f"{value:.10g}" for value in of) for of in parameters]
            table.writerow(
                [p.data, p.n, p.seed, p.k, one.mean, best, one.by, *(words or ["", "", ""])]
            )


def check(entry: Entry, x: NDArray[np.float64]) -> None:
    """Refuse a sample that is not the one whose best is in the file.

    Raises
    ------
    ValueError
        If their means differ.
    """
    if abs(x.mean() - entry.mean) > 1e-6 * (1 + abs(entry.mean)):
        raise ValueError(f"{entry.problem}: another sample than the file's")


def random_start(x: NDArray[np.float64], k: int, rng: np.random.Generator) -> gmm1d.Mixture:
    """Draw k of the values as means, and one standard deviation for all, from an eighth of the data's to all of it."""
    std = x.std() * 2.0 ** -rng.uniform(0, 3)
    means = rng.choice(np.unique(x), k, replace=False)
    return gmm1d.Mixture(np.full(k, 1 / k), means, np.full(k, std))


def from_random(entry: Entry, count: int) -> Entry:
    """Return the entry raised by climbs from random starts."""
    rng, x = np.random.default_rng(entry.problem.seed), entry.problem.x
    for _ in range(count if entry.problem.k > 1 else 1):
        entry = entry.raised(climb_s(x, random_start(x, entry.problem.k, rng)), "random starts")
    return entry


def from_peers(entry: Entry) -> Entry:
    """Return the entry raised by climbs from the truth and from the fits of gmm1d and scikit-learn."""
    from sklearn.mixture import GaussianMixture

    x, k = entry.problem.x, entry.problem.k
    if entry.problem.density:
        truth = marron_wand.truth(entry.problem.density)
        entry = entry.raised(climb_s(x, truth), "the density")
    entry = entry.raised(climb_s(x, gmm1d.fit(x, k, threads=1).mixture), "gmm1d")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = GaussianMixture(k, random_state=0).fit(x[:, None])
    mixture = gmm1d.Mixture(m.weights_, m.means_[:, 0], variances=m.covariances_[:, 0, 0])
    return entry.raised(climb_s(x, mixture), "scikit-learn")


def from_hops(entry: Entry, seconds: float) -> Entry:
    """Return the entry raised by basin hopping (Wales and Doye, 1997, J. Phys. Chem. A 101:5111-5116)."""
    x, k = entry.problem.x, entry.problem.k
    if entry.mixture is None or k < 3:
        return entry
    rng, std = np.random.default_rng(entry.problem.seed), x.std()
    end = time.process_time() + seconds
    while time.process_time() < end:
        at = entry.mixture
        w, mu, s = at.weights.copy(), at.means.copy(), at.stds.copy()
        for j in rng.integers(k, size=rng.integers(1, 4)):
            mu[j], s[j] = rng.choice(x), std * 2.0 ** -rng.uniform(0, 7)
            w[j] = 2.0 ** -rng.uniform(1, 7)
        entry = entry.raised(climb_s(x, gmm1d.Mixture(w / w.sum(), mu, s)), "basin hopping")
    return entry


def from_mclust(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries raised by climbs from mclust's fits, one process for every k."""
    ordered = sorted(entries, key=lambda entry: entry.problem.k)
    for k, group in groupby(ordered, key=lambda entry: entry.problem.k):
        of_k = list(group)
        _, answers = Runner("mclust", (*R, "mclust-fallback")).run(
            [entry.problem.x for entry in of_k], k, budget=0
        )
        for entry, one in zip(of_k, answers, strict=True):
            if not one.weights:
                yield entry
                continue
            weights = np.array(one.weights) / np.sum(one.weights)
            mixture = gmm1d.Mixture(weights, one.means, variances=one.variances)
            yield entry.raised(climb_s(entry.problem.x, mixture), "mclust")


def merge(raised: Iterable[Entry]) -> int:
    """Write entries into the file, which others may have raised meanwhile; return how many rose."""
    entries, rose = read(), 0
    for entry in raised:
        before = entries[entry.problem]
        if entry.best is not None and entry.mixture is not None:
            entries[entry.problem] = before.raised((entry.best, entry.mixture), entry.by)
        rose += entries[entry.problem] is not before
    write(entries)
    return rose


def raise_all(way: Callable[[Entry], Entry], asked: Sequence[Problem], processes: int) -> None:
    """Raise the file in chunks, so that little is lost when it is stopped."""
    for first in range(0, len(asked), CHUNK):
        entries = read()
        chunk = [entries[problem] for problem in asked[first : first + CHUNK]]
        for entry in chunk:
            check(entry, entry.problem.x)
        rose = merge(spread(way, chunk, processes))
        print(f"{min(first + CHUNK, len(asked))} of {len(asked)}: {rose} rose", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("way", choices=("random", "peers", "hop"))
    asked.add_argument("amount", nargs="?", type=float, help="random starts, or seconds of hops")
    asked.add_argument("--only", default="", metavar="PATTERN", help="of the problems' names")
    asked.add_argument("--processes", type=int, default=1)
    words = asked.parse_args()
    ways: dict[str, Callable[[Entry], Entry]] = {
        "random": partial(from_random, count=int(words.amount or RANDOM_STARTS)),
        "peers": from_peers,
        "hop": partial(from_hops, seconds=words.amount or SECONDS),
    }
    asked_for = named(words.only)
    raise_all(ways[words.way], asked_for, words.processes)
    if words.way == "peers":
        entries = read()
        print(f"mclust: {merge(from_mclust(entries[p] for p in asked_for))} rose")


if __name__ == "__main__":
    main()
