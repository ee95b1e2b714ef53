"""The default search on public real data, k = 2 to 6, against the best maxima of an independent many-start EM.

That looked for the highest log-likelihood among maxima without spikes, gmm1d looks for the highest S: of unequal variances
they differ where the data support fewer components. Of equal variances there is no penalty, and both look for the same.
"""

from __future__ import annotations

import csv
import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from figures import Figure
from judging import Judged, endings, judge
from s_climb import level

import gmm1d
from gmm1d import Ending

if TYPE_CHECKING:
    from numpy.typing import NDArray

TESTS = Path(__file__).parents[1] / "tests"
MIXTURES = Path(__file__).parent / "data" / "reference_mixtures.csv"  # of unequal variances
FAMILIES = {"V": "unequal variances", "E": "equal variances"}
SAME, REACHED = 1e-8, 1e-6  # of the log-likelihoods: relative, and of one that is no lower in nats
NARROW = 0.02  # of the data's standard deviation
WITHIN = 0.01  # an S no further below another has reached it


@cache
def columns() -> dict[str, NDArray[np.float64]]:
    """Return the public data sets by name."""
    sys.path.insert(0, str(TESTS))
    from equivariance import datasets

    return datasets()


def fits(model: str) -> list[dict[str, Any]]:
    """Return the reference fits of one family with k = 2 to 6 that have a regular maximum."""
    listed = json.loads((TESTS / "data" / "reference_fits.json").read_text("utf-8"))["fits"]
    return [
        one
        for one in listed
        if one["model"] == model and 2 <= one["k"] <= 6 and one["best_regular"] is not None
    ]


@cache
def mixtures() -> dict[str, gmm1d.Mixture]:
    """Return the reference fits of unequal variances by case, to ten digits."""
    with MIXTURES.open(encoding="utf-8", newline="") as file:
        found = {}
        for row in csv.DictReader(file):
            w, mu, s = (np.array(row[name].split(), float) for name in ("weights", "means", "stds"))
            found[_case(row["data"], int(row["k"]))] = gmm1d.Mixture(w / w.sum(), mu, s)
    return found


def _case(name: str, k: int) -> str:
    return f"{name} k={k}"


def judged(model: str) -> list[Judged]:
    """Fit every case of a family."""
    return [
        judge(
            _case(one["dataset"], one["k"]),
            columns()[one["dataset"]],
            one["k"],
            one["best_regular"],
            equal_variances=model == "E",
        )
        for one in fits(model)
    ]


def measure() -> list[Figure]:
    unequal, equal = judged("V"), judged("E")
    narrow = [one for one in unequal if _narrow(one)]
    wide = [one for one in unequal if not _narrow(one)]
    return [
        _same("unequal variances, no component below 2 % of the sd", wide, bound=True),
        _same("unequal variances, with a narrower one", narrow, bound=False),
        _converged("unequal variances", unequal),
        _higher(unequal),
        *endings("unequal variances", unequal),
        _converged("equal variances", equal, bound=True),
        *endings("equal variances", equal),
    ]


def _data(one: Judged) -> NDArray[np.float64]:
    return columns()[one.case.split()[0]]


def _narrow(one: Judged) -> bool:
    """Whether the reference has a component below 2 % of the data's standard deviation."""
    return bool(mixtures()[one.case].stds.min() < NARROW * _data(one).std())


def _same(what: str, judged: list[Judged], *, bound: bool) -> Figure:
    """Return how many end at the reference's log-likelihood; the others are listed."""
    others = [one for one in judged if abs(one.above) > SAME * abs(one.best)]
    name = f"{what}: the reference's log-likelihood to 1e-8, of {len(judged)}"
    least = len(judged) if bound else None
    note = "; ".join(map(_differs, others))
    return Figure(name, len(judged) - len(others), at_least=least, note=note)


def _differs(one: Judged) -> str:
    reason = f" ({one.fit.reason})" if one.fit.reason else ""
    return f"{one.case} {one.fit.status.name}{reason} {one.above:+.2g}{_preferred(one)}"


def _preferred(one: Judged) -> str:
    """Say by how much S prefers the fit to where it leads from the reference."""
    ours, theirs = _optima(one)
    if not np.isfinite(theirs):
        return ", whence S is unbounded"
    return f", S {ours - theirs:+.2g}" if abs(ours - theirs) > WITHIN else ", same optimum of S"


def _optima(one: Judged) -> tuple[float, float]:
    """Return the S of the optima to which S leads from the fit and from the reference."""
    x = _data(one)
    return level(x, one.fit.mixture), level(x, mixtures()[one.case])


def _converged(what: str, judged: list[Judged], *, bound: bool = False) -> Figure:
    """Return how many are certified maxima no lower than the reference."""
    missed = [
        f"{one.case} {one.fit.status.name} {one.above:+.2g}"
        for one in judged
        if one.fit.status is not Ending.CONVERGED or one.above < -REACHED
    ]
    name = f"{what}: CONVERGED at the reference's log-likelihood or above, of {len(judged)}"
    least = len(judged) if bound else None
    note = "; ".join(missed) if bound else ""
    return Figure(name, len(judged) - len(missed), at_least=least, note=note)


def _higher(judged: list[Judged]) -> Figure:
    """Return how many references lead to a higher optimum of S: those the search has missed."""
    optima = {one.case: _optima(one) for one in judged}
    missed = [case for case, (ours, theirs) in optima.items() if theirs > ours + WITHIN]
    name = f"unequal variances: references from which S rises above the fit's, of {len(judged)}"
    return Figure(name, len(missed), at_most=0, note="; ".join(missed))
