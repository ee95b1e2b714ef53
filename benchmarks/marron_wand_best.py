"""The best regular log-likelihoods known of Marron and Wand's samples: a file whose entries only rise.

`python marron_wand_best.py search [N]` raises it with gmm1d's default fits, its climbs from the density itself and its
best of N random starts (200), `python marron_wand_best.py hop [SECONDS]` by changing some components of the best at random
and climbing again, so long for each sample of three or more (2), `python marron_wand_best.py take NAME FILE [default]` with
somebody's mixtures: JSON lines of density, n, seed, weights, means and variances. gmm1d climbs from each to its optimum, and
only a regular one counts: a point on the way into a spike can be regular and yet above all regular optima. With `default`,
NAME is scikit-learn or mclust, and the file also keeps the log-likelihood of these, their default fits, as they are.
"""

from __future__ import annotations

import csv
import json
import sys
import time
import warnings
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import marron_wand
import numpy as np

import gmm1d
from gmm1d.regularity import is_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marron_wand import Problem
    from numpy.typing import NDArray

FILE = Path(__file__).parent / "data" / "marron_wand_best.csv"
LEAST = 1e-6  # a smaller rise is rounding


@dataclass(frozen=True)
class Entry:
    """One sample: log-likelihoods of regular mixtures only, None where there is none."""

    density: int
    n: int
    seed: int
    mean: float  # of the sample, so that a generator that draws others is noticed
    best: float | None = None
    by: str = ""
    scikit_learn: float | None = None
    mclust: float | None = None

    @property
    def problem(self) -> Problem:
        return self.density, self.n, self.seed

    def raised(self, log_likelihood: float | None, by: str) -> Entry:
        """Return the entry with this log-likelihood where it is higher."""
        if log_likelihood is None or (
            self.best is not None and log_likelihood <= self.best + LEAST
        ):
            return self
        return replace(self, best=log_likelihood, by=by)


def read() -> dict[Problem, Entry]:
    """Return the file's entries; those that it lacks are empty."""
    entries = {}
    for density, n, seed in marron_wand.PROBLEMS:
        mean = float(f"{marron_wand.sample(density, n, seed).mean():.9g}")
        entries[density, n, seed] = Entry(density, n, seed, mean)
    if FILE.exists():
        with FILE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                entry = _entry(row)
                entries[entry.problem] = entry
    return entries


def _entry(row: dict[str, str]) -> Entry:
    whole = [int(row[name]) for name in ("density", "n", "seed")]
    best, scikit_learn, mclust = (
        float(row[name]) if row[name] else None for name in ("best", "scikit_learn", "mclust")
    )
    return Entry(
        whole[0], whole[1], whole[2], float(row["mean"]), best, row["by"], scikit_learn, mclust
    )


def write(entries: dict[Problem, Entry]) -> None:
    """Write the file, log-likelihoods to 1e-6."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(field.name for field in fields(Entry))
        for problem in marron_wand.PROBLEMS:
            row = asdict(entries[problem])
            for name in ("best", "scikit_learn", "mclust"):
                row[name] = "" if row[name] is None else f"{row[name]:.6f}"
            table.writerow([*row.values()])


def check(entry: Entry, x: NDArray[np.float64]) -> None:
    """Refuse a sample that is not the one whose best is in the file.

    Raises
    ------
    ValueError
        If their means differ.
    """
    if abs(x.mean() - entry.mean) > 1e-6:
        raise ValueError(f"{entry.problem}: NumPy draws another sample than the file's")


def regular(mixture: gmm1d.Mixture, x: NDArray[np.float64]) -> float | None:
    """Return the log-likelihood of a regular mixture, None of another."""
    if not is_regular(mixture, gmm1d.Sample.of(x)):
        return None
    return float(mixture.logpdf(x).sum())


def optimum(fit: gmm1d.Fit, x: NDArray[np.float64]) -> float | None:
    """Return the log-likelihood of a fit that is a regular optimum, None of another."""
    if fit.status not in (gmm1d.Ending.CONVERGED, gmm1d.Ending.FLAT):
        return None
    return regular(fit.mixture, x)


def polished(mixture: gmm1d.Mixture, x: NDArray[np.float64]) -> float | None:
    """Climb from a mixture; return the log-likelihood of the regular optimum there, None where there is none."""
    try:
        return optimum(gmm1d.fit(x, mixture.k, start=mixture), x)
    except (gmm1d.errors.CollapseError, gmm1d.errors.InputError):  # or no start at all
        return None


def take(name: str, lines: Iterator[str], default: bool) -> dict[Problem, Entry]:
    """Return the entries raised by somebody's mixtures."""
    entries = read()
    for line in lines:
        row = json.loads(line)
        if "weights" not in row:  # where it gave no answer
            continue
        problem = row["density"], row["n"], row["seed"]
        x = marron_wand.sample(*problem)
        check(entries[problem], x)
        weights = np.array(row["weights"]) / np.sum(row["weights"])
        mixture = gmm1d.Mixture(weights, row["means"], variances=row["variances"])
        entry = entries[problem].raised(polished(mixture, x), name)
        if default:
            level = regular(mixture, x)
            entry = (
                replace(entry, mclust=level)
                if name == "mclust"
                else replace(entry, scikit_learn=level)
            )
        entries[problem] = entry
    return entries


def search(n_random: int) -> dict[Problem, Entry]:
    """Return the entries raised by gmm1d itself: from its search, from the density, and from many random starts.

    Writes the file after each sample size and density.
    """
    entries, last = read(), (0, 0)
    for problem, entry in entries.items():
        if last not in ((0, 0), problem[:2]):
            write(entries)
        last = problem[:2]
        entries[problem] = _searched(entry, n_random)
    return entries


def _searched(entry: Entry, n_random: int) -> Entry:
    density, _, seed = entry.problem
    x, k = marron_wand.sample(*entry.problem), marron_wand.components(density)
    check(entry, x)
    entry = entry.raised(optimum(gmm1d.fit(x, k), x), "gmm1d")
    if k > 1:
        entry = entry.raised(polished(marron_wand.truth(density), x), "gmm1d from the density")
        rng = np.random.default_rng(seed)
        wide = gmm1d.fit(x, k, n_random=n_random, rng=rng)
        entry = entry.raised(optimum(wide, x), f"gmm1d, {n_random} random starts")
    return entry


def hop(seconds: float) -> dict[Problem, Entry]:
    """Return the entries raised by basin hopping (Wales and Doye, 1997, J. Phys. Chem. A 101:5111-5116).

    Writes the file after each sample size and density.
    """
    entries, last = read(), (0, 0)
    for problem, entry in entries.items():
        if last not in ((0, 0), problem[:2]):
            write(entries)
        last = problem[:2]
        if marron_wand.components(problem[0]) > 2:
            entries[problem] = entry.raised(_hopped(entry, seconds), "gmm1d, basin hopping")
    return entries


def _hopped(entry: Entry, seconds: float) -> float | None:
    """Return the best log-likelihood that hops from the default fit reach."""
    rng = np.random.default_rng(entry.seed)
    x, k = marron_wand.sample(*entry.problem), marron_wand.components(entry.density)
    check(entry, x)
    sample = gmm1d.Sample.of(x)
    fit = gmm1d.fit(sample, k)
    best, at = optimum(fit, x), fit.mixture
    end = time.process_time() + seconds
    while time.process_time() < end:
        w, mu, s = at.weights.copy(), at.means.copy(), at.stds.copy()
        for j in rng.integers(k, size=rng.integers(1, 4)):
            mu[j], s[j] = rng.choice(x), sample.std * 2.0 ** -rng.uniform(0, 7)
            w[j] = 2.0 ** -rng.uniform(1, 7)
        try:
            start = gmm1d.Mixture(w / w.sum(), mu, s)
            found = gmm1d.fit(sample, k, start=start, threads=1)
        except (gmm1d.errors.CollapseError, gmm1d.errors.InputError):
            continue
        level = optimum(found, x)
        if level is not None and (best is None or level > best + LEAST):
            best, at = level, found.mixture
    return best


def main(words: list[str]) -> int:
    """Raise the file and say by how many entries."""
    warnings.simplefilter("ignore", gmm1d.errors.FitWarning)
    before = read()
    match words:
        case ["search", *count]:
            after = search(int(count[0]) if count else 200)
        case ["hop", *length]:
            after = hop(float(length[0]) if length else 2.0)
        case ["take", name, file] | ["take", ("scikit-learn" | "mclust") as name, file, "default"]:
            with Path(file).open(encoding="utf-8") as lines:
                after = take(name, iter(lines), default=len(words) == 4)
        case _:
            print(__doc__)
            return 2
    write(after)
    print(f"{sum(after[p].best != before[p].best for p in before)} of {len(before)} entries rose")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
