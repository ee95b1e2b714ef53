"""Groups that are not there: one Gaussian in which more are found, needles in a forced fit; and small groups that are there.

`python false_groups.py KIND N [COUNT [FIRST]]` counts one row alone: KIND is exact, rounded, a number of steps to the
standard deviation (whole scores), forced, or apart; FIRST is the first seed. Nothing may be tuned on the seeds from
`FIRST` on, on which the figures are measured.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from figures import Figure
from spread import spread

import gmm1d

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FIRST = 10_000
COMPARED, FORCED, APART = 1000, 200, 100  # samples
KS = range(1, 6)
EXACT = {30: 0.12, 50: 0.05, 100: 0.02, 200: 0.015, 1000: 0.01}
ROUNDED = 0.05
DECIMAL = 10.0  # steps to the standard deviation where one decimal is kept
SCORES = (1.0, 2.0, 4.0)  # the same of whole scores: 6 to some 25 levels
RECORDED = (200, 1000)  # n of what is rounded
FORCED_SIZES, NARROW, NEEDLES = (50, 100, 800, 3000), 0.05, 0.02
SMALL = {3: 0.85, 4: 0.97, 10: 0.99}
BETWEEN = 10.0  # standard deviations between two small groups


@dataclass(frozen=True)
class Found:
    """What was counted in one sample: whether it happened, whether there was no choice, and how many levels it has."""

    happened: bool
    undecided: bool = False
    levels: int = 0


def gaussian(seed: int, n: int, steps: float = 0.0) -> NDArray[np.float64]:
    """Draw n values of one Gaussian; where its sd is so many steps, whole scores, its mean anywhere between two."""
    rng = np.random.default_rng(seed)
    if not steps:
        return rng.normal(size=n)
    whole = np.round(rng.normal(rng.uniform(), steps, n))
    return whole / DECIMAL if steps == DECIMAL else whole


def several(seed: int, n: int, steps: float = 0.0) -> Found:
    """Tell whether `compare` finds more than one group in one Gaussian."""
    x = gaussian(seed, n, steps)
    k = gmm1d.compare(x, KS, threads=1).k
    return Found(k is not None and k > 1, k is None, np.unique(x).size if steps else 0)


def needle(seed: int, n: int) -> Found:
    """Tell whether a component of `fit(x, 2)` of one Gaussian is far narrower than the data."""
    x = gaussian(seed, n)
    return Found(bool(gmm1d.fit(x, 2, threads=1).mixture.stds.min() < NARROW * x.std()))


def split(seed: int, each: int) -> Found:
    """Tell whether `fit(x, 2)` assigns two small groups exactly."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(size=each), rng.normal(BETWEEN, 1, each)])
    assigned = gmm1d.fit(x, 2, threads=1).mixture.predict(x)
    return Found(bool(np.array_equal(assigned, np.repeat([0, 1], each))))


def count(
    name: str,
    work: partial[Found],
    samples: int,
    first: int = FIRST,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Figure:
    """Return the share of samples in which it happened."""
    found = spread(work, range(first, first + samples))
    share = float(np.mean([one.happened for one in found]))
    said = [f"{sum(one.happened for one in found)} of {samples}"]
    if undecided := sum(one.undecided for one in found):
        said.append(f"no choice in {undecided}")
    if any(one.levels for one in found):
        low, high = np.quantile([one.levels for one in found], [0.05, 0.95])
        said.append(f"{low:.0f} to {high:.0f} levels")
    return Figure(name, share, at_least, at_most, "; ".join(said))


def exact(n: int, samples: int = COMPARED, first: int = FIRST) -> Figure:
    name = f"one Gaussian, n = {n}: more than one group, share"
    return count(name, partial(several, n=n), samples, first, EXACT.get(n))


def rounded(n: int, steps: float = DECIMAL, samples: int = COMPARED, first: int = FIRST) -> Figure:
    how = "to one decimal" if steps == DECIMAL else f"to whole scores, sd {steps:g} steps"
    name = f"one Gaussian rounded {how}, n = {n}: more than one group, share"
    return count(name, partial(several, n=n, steps=steps), samples, first, ROUNDED)


def forced(n: int, samples: int = FORCED, first: int = FIRST) -> Figure:
    name = f"one Gaussian, n = {n}, k = 2: a std below {NARROW:g} of the data's, share"
    return count(name, partial(needle, n=n), samples, first, NEEDLES)


def apart(each: int, samples: int = APART, first: int = FIRST) -> Figure:
    name = f"{each} + {each} values, {BETWEEN:g} sd apart, k = 2: split, share"
    return count(name, partial(split, each=each), samples, first, at_least=SMALL.get(each))


def measure() -> list[Figure]:
    return [
        *(exact(n) for n in EXACT),
        *(rounded(n) for n in RECORDED),
        *(rounded(n, sd) for sd in SCORES for n in RECORDED),
        *(forced(n) for n in FORCED_SIZES),
        *(apart(each) for each in SMALL),
    ]


def main(kind: str, n: str, *rest: str) -> None:
    """Print one row; the rest is how many samples, and the first seed."""
    kinds: dict[str, Callable[..., Figure]] = {
        "exact": exact,
        "rounded": rounded,
        "forced": forced,
        "apart": apart,
    }
    row = kinds[kind] if kind in kinds else partial(rounded, steps=float(kind))
    options = dict(zip(("samples", "first"), map(int, rest), strict=False))
    print("  ".join(row(int(n), **options).row()))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
