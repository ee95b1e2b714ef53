"""Whole fits of gmm1d and of its peers on the same samples, each peer at its default settings, all answers compared."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import cache
from math import nan
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import marron_wand
import numpy as np
from figures import Figure
from peers_running import PEERS, PeerError, Runner, runner
from s_climb import level
from spikes import is_regular

import gmm1d

if TYPE_CHECKING:
    from peers_running import Answer

SAME = 0.01  # log-likelihoods no further apart are the same answer


@dataclass(frozen=True)
class Problem:
    """Samples of one kind; `at_least` bounds scikit-learn's time over gmm1d's."""

    name: str
    k: int
    samples: tuple[np.ndarray, ...]
    at_least: float
    repeats: int = 21
    budget: float = 1.0  # seconds for the repeats of one sample
    threads: int | None = 1  # None: each peer as many as it likes


@dataclass(frozen=True)
class Outcome:
    """One peer on one problem, beside gmm1d: per sample, seconds, how far short, and whether that counts."""

    peer: str
    version: str
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]
    short: tuple[float, ...]  # gmm1d's log-likelihood minus the peer's
    regular: tuple[bool, ...]
    rises: tuple[float, ...]  # the S of the optimum that the answer leads to minus that of gmm1d's

    def comparison(self) -> str:
        """Say how its log-likelihoods compare."""
        n, said = len(self.short), []
        below = [s for s in self.short if s > SAME]
        if below:
            said.append(f"short by up to {max(below):.3g}{_share(len(below), n)}")
        for regular, what in ((True, "above"), (False, "irregular and above")):
            found = [
                s
                for s, r in zip(self.short, self.regular, strict=True)
                if s < -SAME and r is regular
            ]
            if found:
                said.append(f"{what} by up to {-min(found):.3g}{_share(len(found), n)}")
        return "; ".join(said) or "same log-likelihood"


@dataclass(frozen=True)
class Results:
    """All outcomes by problem, and why some peers are missing from all or from one."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)


def _share(count: int, n: int) -> str:
    return f" in {count} of {n}" if n > 1 else ""


def separated(n: int, seed: int) -> np.ndarray:
    """Draw from three Gaussians well apart."""
    rng = np.random.default_rng(seed)
    label = rng.choice(3, size=n, p=[0.3, 0.3, 0.4])
    return rng.normal(np.array([-5.0, 0.0, 6.0])[label], np.array([1.0, 0.7, 1.5])[label])


def problems() -> tuple[Problem, ...]:
    two = tuple(marron_wand.sample(d, 200, seed) for d in (6, 7, 8) for seed in range(5))
    three = tuple(marron_wand.sample(9, 1000, seed) for seed in range(5))
    three += tuple(separated(1000, seed) for seed in range(5))
    million = (separated(1_000_000, 0),)
    return (
        Problem("n = 200, k = 2", 2, two, at_least=20),
        Problem("n = 1 000, k = 3", 3, three, at_least=5),
        Problem(
            "n = 1 000 000, k = 3", 3, million, at_least=80, repeats=7, budget=20, threads=None
        ),
    )


def compare(problem: Problem, runners: list[Runner], results: Results) -> None:
    """Run gmm1d and the peers on one problem; add what came out to the results."""

    def run(one: Runner) -> tuple[str, list[Answer]]:
        return one.run(problem.samples, problem.k, problem.repeats, problem.budget, problem.threads)

    ours: list[Answer] = []
    best: list[float] = []
    peaks: list[float] = []
    results.outcomes[problem.name] = []
    for one in runners:
        try:
            version, answers = run(one)
            mixtures = [_mixture(answer) for answer in answers]
        except (PeerError, gmm1d.errors.InputError) as error:
            if one.name == "gmm1d":
                raise
            results.failed[problem.name, one.name] = str(error)
            continue
        pairs = list(zip(problem.samples, mixtures, strict=True))
        high = [float(m.logpdf(x).sum()) for x, m in pairs]
        tops = [level(x, m) for x, m in pairs]
        if one.name == "gmm1d":
            ours, best, peaks = answers, high, tops
        results.outcomes[problem.name].append(
            Outcome(
                peer=one.name,
                version=version,
                seconds=tuple(answer.seconds for answer in answers),
                ratios=tuple(a.seconds / own.seconds for a, own in zip(answers, ours, strict=True)),
                short=tuple(own - theirs for own, theirs in zip(best, high, strict=True)),
                regular=tuple(is_regular(m, x) for x, m in pairs),
                rises=tuple(top - own for own, top in zip(peaks, tops, strict=True)),
            )
        )


def _mixture(answer: Answer) -> gmm1d.Mixture:
    weights = np.array(answer.weights) / np.sum(answer.weights)  # some have single precision
    return gmm1d.Mixture(weights, answer.means, variances=answer.variances)


@cache
def results() -> Results:
    """Return what all peers made of all problems."""
    found = Results()
    with tempfile.TemporaryDirectory() as folder:
        runners = [runner("gmm1d", Path(folder))]
        for name, source in PEERS.items():
            try:
                runners.append(runner(name, Path(folder)))
            except PeerError as error:
                found.skipped[name] = f"{error} ({source})"
        for problem in problems():
            compare(problem, runners, found)
    return found


def measure() -> list[Figure]:
    from peers_page import write

    found = results()
    write(found)
    bounds = {problem.name: problem.at_least for problem in problems()}
    figures = [
        Figure(
            f"{problem}: {one.peer} / gmm1d",
            median(one.ratios),
            at_least=bounds[problem] if one.peer == "scikit-learn" else None,
            note=f"{duration(median(one.seconds))} / {duration(median(outcomes[0].seconds))}; {one.comparison()}",
        )
        for problem, outcomes in found.outcomes.items()
        for one in outcomes[1:]
    ]
    figures.append(_rise(found))
    figures += [Figure(f"{peer}: skipped", nan, note=why) for peer, why in found.skipped.items()]
    figures += [
        Figure(f"{problem}: {peer}", nan, note=f"no answer: {why}")
        for (problem, peer), why in found.failed.items()
    ]
    return figures


def _rise(found: Results) -> Figure:
    """Return how far the optimum of S to which a peer's answer leads is above that of gmm1d's, at worst."""
    rises = {
        (problem, one.peer): max(one.rises)
        for problem, outcomes in found.outcomes.items()
        for one in outcomes[1:]
    }
    worst = max(rises, key=rises.__getitem__)
    name = "S to which a peer's answer leads above that to which gmm1d's does"
    return Figure(name, rises[worst], at_most=SAME, note=": ".join(worst))


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{short(seconds / size)} {unit}"
    return f"{short(seconds / 1e-6)} µs"


def short(value: float) -> str:
    """Write three digits of a number, with a space between thousands."""
    return f"{float(f'{value:.3g}'):,g}".replace(",", " ")
