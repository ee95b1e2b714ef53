"""How far fits are from the truth: 1 000 × Hellinger² to Marron and Wand's densities, beside scikit-learn and mclust.

A sample of n from density 2 … 15 is fitted with the true number of components, or one more, or a chosen one. The mean over
the samples of a density is its risk; the figure is the geometric mean over the densities with 3k ≤ n / 2, k the true one.
`python risk.py N [METHOD ...] [--seeds 0:20] [--extra 1] [--choice]` shows one table, on the seeds that are asked for;
nothing may be tuned on `SEEDS`, on which the figures are measured.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, product
from math import exp, log, nan, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

import hellinger
import marron_wand
import numpy as np
from figures import Figure
from peers_running import PEERS, PeerError, R, Runner, runner
from spread import spread

import gmm1d
from gmm1d.formatting import text_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS = range(10_000, 10_020)
DENSITIES = range(2, 16)
KS = range(1, 10)  # to choose from
MOST = {50: 31.0, 100: 16.0, 200: 8.3, 1000: 1.4}  # at the true k
MOST_WITH_EXTRA = {100: 18.5}  # one component too many
CHOICES = (50, 100, 200)
CHOICE_OVER_MCLUST = 1.05


@dataclass(frozen=True)
class Case:
    """One sample and the number of components to fit: 0 leaves it to the method."""

    density: int
    n: int
    seed: int
    k: int

    @property
    def x(self) -> NDArray[np.float64]:
        # A seed of its own for every density, or their errors would not be independent.
        return marron_wand.sample(self.density, self.n, 100 * self.seed + self.density)


@dataclass(frozen=True)
class Answer:
    """What a method made of a case, and what was odd about it."""

    mixture: gmm1d.Mixture
    odd: str = ""


@dataclass(frozen=True)
class Risk:
    """1 000 × Hellinger² of one method: an array of the samples for every density."""

    distances: Mapping[int, NDArray[np.float64]]
    answers: Sequence[Answer]

    @property
    def by_density(self) -> dict[int, float]:
        return {density: float(found.mean()) for density, found in self.distances.items()}

    @property
    def value(self) -> float:
        """The geometric mean over the densities."""
        return exp(float(np.mean([log(risk) for risk in self.by_density.values()])))

    @property
    def error(self) -> float:
        """The relative standard error of the value, from the spread of the samples."""
        relative = [
            found.std(ddof=1) / sqrt(found.size) / found.mean() if found.size > 1 else nan
            for found in self.distances.values()
        ]
        return float(np.sqrt(np.sum(np.square(relative))) / len(relative))

    def odd(self) -> str:
        """Count what was odd."""
        kinds = sorted({answer.odd for answer in self.answers} - {""})
        return "; ".join(f"{kind} in {sum(a.odd == kind for a in self.answers)}" for kind in kinds)


def of_gmm1d(case: Case) -> Answer:
    """Fit, or choose, by gmm1d's defaults."""
    if case.k:
        fit = gmm1d.fit(case.x, case.k, threads=1)
        return Answer(fit.mixture, "" if fit.status.name == "CONVERGED" else fit.status.name)
    found = gmm1d.compare(case.x, KS, threads=1)
    return Answer(found.best.mixture) if found.k else Answer(gaussian(case), "no choice")


def of_scikit_learn(case: Case) -> Answer:
    """Fit by scikit-learn's defaults, with a fixed seed."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ConvergenceWarning)
        m = GaussianMixture(case.k, random_state=0).fit(case.x[:, None])
    mixture = gmm1d.Mixture(m.weights_, m.means_[:, 0], variances=m.covariances_[:, 0, 0])
    return Answer(mixture, "not converged" if said else "")


def of_mclust(cases: Sequence[Case]) -> list[Answer]:
    """Fit by mclust with unequal variances, or leave it the choice of those and of k, one process for every k.

    Where unequal variances have no answer, equal ones are fitted; where those have none either, one Gaussian stands in.
    """
    answers: dict[Case, Answer] = {}
    by_k = sorted(cases, key=lambda case: case.k)
    for k, group in groupby(by_k, key=lambda case: case.k):
        of_k = list(group)
        name, asked = ("mclust-fallback", k) if k else ("mclust-choice", f"{KS[0]}:{KS[-1]}")
        _, found = Runner(name, (*R, name)).run([case.x for case in of_k], asked, budget=0)
        for case, one in zip(of_k, found, strict=True):
            if not one.weights:
                answers[case] = Answer(gaussian(case), "no answer")
                continue
            weights = np.array(one.weights) / np.sum(one.weights)
            odd = "equal variances for want of unequal ones" if k and one.model == "E" else ""
            answers[case] = Answer(gmm1d.Mixture(weights, one.means, variances=one.variances), odd)
    return [answers[case] for case in cases]


def gaussian(case: Case) -> gmm1d.Mixture:
    """Return one Gaussian."""
    return gmm1d.fit(case.x, 1).mixture


Method = Callable[[Sequence[Case]], list[Answer]]
METHODS: dict[str, Method] = {
    "gmm1d": partial(spread, of_gmm1d),
    "scikit-learn": partial(spread, of_scikit_learn),
    "mclust": of_mclust,
}


def cases(n: int, seeds: Sequence[int] = SEEDS, extra: int = 0, choice: bool = False) -> list[Case]:
    """Return the samples of n of all densities that have at most n / 6 components."""
    ks = {density: marron_wand.components(density) for density in DENSITIES}
    few = [density for density in DENSITIES if 6 * ks[density] <= n]
    return [
        Case(density, n, seed, 0 if choice else ks[density] + extra)
        for density, seed in product(few, seeds)
    ]


def risk(asked: Sequence[Case], method: Method) -> Risk:
    """Return how far a method's answers to these cases are from the truth."""
    answers = method(asked)
    found: dict[int, list[float]] = {}
    for case, answer in zip(asked, answers, strict=True):
        distance = 1000 * hellinger.squared(marron_wand.truth(case.density), answer.mixture)
        found.setdefault(case.density, []).append(distance)
    return Risk({density: np.array(of) for density, of in found.items()}, answers)


def table(
    n: int,
    seeds: Sequence[int] = SEEDS,
    extra: int = 0,
    choice: bool = False,
    methods: Sequence[str] = (),
) -> dict[str, Risk]:
    """Return the risks of the named methods, or of all, on the same samples; scikit-learn has no choice."""
    asked = cases(n, seeds, extra, choice)
    named = [name for name in methods or METHODS if not (choice and name == "scikit-learn")]
    return {name: risk(asked, METHODS[name]) for name in named}


def measure() -> list[Figure]:
    figures, names = [], list(METHODS)
    try:
        runner("mclust", Path())
    except PeerError as error:
        names.remove("mclust")
        figures.append(Figure("mclust: skipped", nan, note=f"{error} ({PEERS['mclust']})"))
    for n, most in MOST.items():
        figures += _beside(f"n = {n}, true k", table(n, methods=names), most, 1.0)
    for n, most in MOST_WITH_EXTRA.items():
        found = table(n, extra=1, methods=names)
        figures += _beside(f"n = {n}, k one too large", found, most, None)
    for n in CHOICES:
        found = table(n, choice=True, methods=names)
        figures += _beside(f"n = {n}, k of 1 … {KS[-1]} chosen", found, None, CHOICE_OVER_MCLUST)
    return figures


def _beside(
    what: str, found: Mapping[str, Risk], most: float | None, over: float | None
) -> list[Figure]:
    """Return gmm1d's risk with its bound, and its ratios to the peers' with theirs."""
    own = found["gmm1d"]
    figures = [Figure(f"{what}: gmm1d", own.value, at_most=most, note=_note(own))]
    for name, theirs in found.items():
        if name != "gmm1d":
            note = f"{name} {theirs.value:.3g}; {_note(theirs)}"
            ratio = own.value / theirs.value
            figures.append(Figure(f"{what}: gmm1d / {name}", ratio, at_most=over, note=note))
    return figures


def _note(found: Risk) -> str:
    odd = f"; {found.odd()}" if found.odd() else ""
    return f"± {100 * found.error:.2g} %, {len(found.answers)} samples{odd}"


def show(found: Mapping[str, Risk]) -> str:
    """Write one line for every density, and one for the geometric means."""
    rows = [
        [f"MW{density}", *(f"{one.by_density[density]:.3g}" for one in found.values())]
        for density in next(iter(found.values())).distances
    ]
    rows.append(["geometric mean", *(f"{one.value:.4g}" for one in found.values())])
    notes = [f"{name}: {_note(one)}" for name, one in found.items()]
    return "\n".join([text_table(["", *found], rows), *notes])


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("n", type=int)
    asked.add_argument("methods", nargs="*", metavar="METHOD", help=", ".join(METHODS))
    asked.add_argument("--seeds", default=f"{SEEDS.start}:{SEEDS.stop}", help="first:last + 1")
    asked.add_argument("--extra", type=int, default=0, help="components beyond the true number")
    asked.add_argument("--choice", action="store_true", help="let the methods choose k")
    words = asked.parse_args()
    seeds = range(*map(int, words.seeds.split(":")))
    print(show(table(words.n, seeds, words.extra, words.choice, words.methods)))


if __name__ == "__main__":
    main()
