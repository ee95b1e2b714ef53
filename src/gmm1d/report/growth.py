"""What the log-likelihoods do as k grows, and why they do not choose k."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.choice import is_held
from gmm1d.errors import Ending
from gmm1d.formatting import listed, number
from gmm1d.report.blocks import Section, Table, Text
from gmm1d.report.choosing import STOPPED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gmm1d.comparison import Comparison
    from gmm1d.result import Fit

ROUNDING = 1e-12  # of |log-likelihood| + n: what is lower by less has not fallen


def growth(found: Comparison) -> Section | None:
    """Say what the log-likelihoods do as k grows; None if there are not two."""
    lines = {
        family: line for family in found.families if len(line := found.candidates.of(family)) > 1
    }
    if not lines:
        return None
    rises = [_rise(line, family, found) for family, line in lines.items()]
    principle = (
        f"{' '.join(rises)} A mixture of k + 1 Gaussians can be whatever one of k is, so at global optima the "
        "log-likelihood never falls as k grows, whatever the true number of groups: it cannot choose k. "
        "This is why criteria exist, which ask each step in k for more than its parameters gain by chance."
    )
    per = 0.5 * np.log(next(iter(found.fits.values())).n)
    asked = (
        f"For each further parameter BIC asks for a gain of {number(per, 4)}, half the logarithm of n, "
        "and AIC for 1."
    )
    fallen = [Text(said) for family in lines for said in falls(found, family)]
    title = "What the log-likelihoods do as k grows"
    return Section("growth", title, (Text(principle), Text(asked), _gains(found, lines), *fallen))


def _rise(line: dict[int, Fit], family: str, found: Comparison) -> str:
    first, last = min(line), max(line)
    low, high = line[first].log_likelihood, line[last].log_likelihood
    verb = "rises" if high > low else "falls"
    whose = f" of mixtures with {family} variances" if len(found.families) > 1 else ""
    return (
        f"From k = {first} to k = {last} the log-likelihood{whose} {verb} from {number(low, 10)} "
        f"to {number(high, 10)}."
    )


def _gains(found: Comparison, lines: Mapping[str, dict[int, Fit]]) -> Table:
    rows = []
    for family, line in lines.items():
        for a, b in pairwise(line.values()):
            gain, added = b.log_likelihood - a.log_likelihood, b.n_parameters - a.n_parameters
            asked = {"BIC": 0.5 * added * np.log(b.n), "AIC": float(added)}
            enough = listed([name for name, least in asked.items() if gain > least]) or "none"
            enough = _unsettled(a, b) or enough
            numbers = (number(gain, 4), *(number(v, 4) for v in asked.values()))
            rows.append([f"{a.k} to {b.k}", family, *numbers, enough])
    header = ["step in k", "variances", "gain", "BIC asks for", "AIC asks for", "enough for"]
    if len(found.families) == 1:
        for row in (header, *rows):
            del row[1]
    return Table(
        "What each step in k gains in log-likelihood, and what is asked for.",
        tuple(header),
        tuple(map(tuple, rows)),
        words=(*range(len(found.families)), len(header) - 1),
    )


def _unsettled(a: Fit, b: Fit) -> str:
    """Say why a gain is none between maxima; "" if it is."""
    loose = [f for f in (a, b) if f.status is not Ending.CONVERGED]
    return "" if not loose else "penalised" if all(map(is_held, loose)) else "not converged"


def falls(found: Comparison, family: str) -> list[str]:
    """Say where the log-likelihood of a family falls, and why."""
    said = []
    for (one, a), (other, b) in pairwise(
        (key, found.candidates.fits[key]) for key in found.candidates.line(family)
    ):
        lack = a.log_likelihood - b.log_likelihood
        if lack <= ROUNDING * (abs(a.log_likelihood) + a.n):
            continue
        if a.status in STOPPED or b.status in STOPPED:
            why = "climbs that were stopped before their maxima can be in any order"
        elif b.reason is not None:
            why = "that fit is penalised, which lowers it"
        elif b.start == "search":
            why = "no sound maximum is known that is as high as with fewer components"
        else:
            why = f"the climb from the start {b.start!r} ended at a local maximum that is not the highest"
        said.append(
            f"At {found.name(other)} it is {number(lack, 4)} lower than at {found.name(one)}: {why}."
        )
    return said
