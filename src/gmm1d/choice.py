"""Which of several fits is chosen, and why: who takes part, who is lowest, and what tied values leave open. Fits nothing."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gmm1d.errors import Ending
from gmm1d.families import EQUAL, UNEQUAL
from gmm1d.formatting import number
from gmm1d.regularity import recording_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gmm1d.candidates import Candidates
    from gmm1d.families import Key
    from gmm1d.result import Fit

CRITERIA = ("aic", "bic", "icl")
SUPPORT, TIES = "support", "ties"  # reasons of penalised fits
COMB, OUTLIER, NARROW = "comb", "outlier", "narrow"  # why a converged fit may take no part
BECAUSE = {
    COMB: "their components sit on the steps of the recorded values",
    OUTLIER: "a component of theirs holds fewer than two values",
    NARROW: "chance finds components as narrow somewhere in the data",
}
FEWEST = 2.0  # values of a component that is more than an outlier
WIDE = 2 / 3  # of the data's std: four of those have room for six of such a component
SLACK = 1e-6  # nats by which rounding may lower a log-likelihood
MOST = 4  # tied values that are named beside the first
REMEDY = "no choice can be made with them in; leave them out and say so, or model the step in which the values were recorded"


class Choice(NamedTuple):
    """What is chosen, None where nothing is, the reason in a sentence, and in a word why others take no part."""

    key: Key | None
    reason: str
    left_out: dict[Key, str]


def choose(found: Candidates, criterion: str) -> Choice:
    """Choose the fit of the lowest criterion among the maxima, unless tied values decide beside it.

    Fits that are lower by less than the `lead` that their components may have by chance take no part.

    Parameters
    ----------
    found : Candidates
    criterion : {"bic", "aic", "icl"}

    Returns
    -------
    Choice
    """
    words = {key: word for key in found.keys if (word := _absence(found, key))}
    scores = {key: getattr(f, criterion) for key, f in found.fits.items() if key not in words}
    chance = _by_chance(found, scores)
    words |= {key: OUTLIER if needed == math.inf else NARROW for key, (_, needed) in chance.items()}
    ranked = sorted(scores.keys() - chance, key=lambda key: (scores[key], found.place(key)))
    tied = [key for key, f in found.fits.items() if key[1] == UNEQUAL and f.reason == TIES]
    deciding = _deciding(found, ranked, tied)
    if deciding is not None:
        others = {key: word for key, word in words.items() if key not in tied}
        aside = _aside(found, others, chance)
        reason = f"nothing is chosen: {_ties(found, deciding, tied)}: {REMEDY}{aside}"
        return Choice(None, reason, words)
    name, aside = criterion.upper(), _aside(found, words, chance)
    if not ranked:
        why = f"{name} compares maxima, and none of the fits converged"
        return Choice(None, f"nothing is chosen: {why}{aside}", words)
    beyond = f"; {_ties(found, tied[0], tied[:1])}" if tied else ""
    remarks = f"{aside}{_held(found, ranked)}{beyond}{_falls(found)}"
    return Choice(ranked[0], _praise(found, ranked, scores, name) + remarks, words)


def standing(fit: Fit, left_out: str | None) -> str:
    """Say in a word how a fit ended, and what else decides whether it takes part in a choice."""
    return _word(fit, left_out if left_out in BECAUSE else fit.reason)


def missing(why: str) -> str:
    """Say in a word why there is no fit at all."""
    return "too few values" if "distinct values" in why else "collapsed"


def _word(fit: Fit, why: str | None) -> str:
    return fit.status.name.lower() + (f", {why}" if why else "")


def _absence(found: Candidates, key: Key) -> str | None:
    """Say in a word why a fit takes no part in a choice; None if it does."""
    if key in found.collapsed:
        return missing(found.collapsed[key])
    fit = found.fits[key]
    if fit.status is not Ending.CONVERGED and not is_held(fit):
        return _word(fit, fit.reason)
    return COMB if key[1] == EQUAL and combs(fit) else None


def is_held(fit: Fit) -> bool:
    """Tell whether a fit is penalised because the data support fewer components."""
    return fit.status is Ending.PENALISED and fit.reason == SUPPORT


def combs(fit: Fit) -> bool:
    """Tell whether a fit of equal variances describes how values were recorded, not how they lie.

    Either its std is below half the step of the values, which are tied, so that each component may sit on one of
    them, or it has as many components as there are distinct values.
    """
    if fit.k == 1 or fit.sample is None:
        return False
    distinct = fit.sample.nodes[0].size
    return bool(fit.k >= distinct or fit.mixture.stds.max() < 0.5 * recording_step(fit.sample))


def lead(fit: Fit) -> float:
    """Return how much lower a criterion must be for the components of a fit to be more than chance (look elsewhere).

    A component narrower than the data might have been found at so many places as the bulk of the data, four stds wide,
    has room for components of six of their own stds side by side. The highest of as many clumps leads by twice the log
    of their number. One that holds fewer than two values is an outlier, and no lead is enough.

    References
    ----------
    Gross and Vitells (2010), Trial factors for the look elsewhere effect in high energy physics, Eur. Phys. J. C 70.
    """
    m = fit.mixture
    if fit.k > 1 and m.weights.min() * fit.n < FEWEST:
        return math.inf
    return 2 * float(np.maximum(np.log(WIDE * m.std()) - np.log(m.stds), 0).sum())


def _by_chance(found: Candidates, scores: Mapping[Key, float]) -> dict[Key, tuple[float, float]]:
    """Return which fits are lower than the best, but by less than by chance: by how much they are, and should be."""
    leads = {key: lead(found.fits[key]) for key in scores}
    order = {key: (score + leads[key], score, *found.place(key)) for key, score in scores.items()}
    best = min(scores, key=order.__getitem__, default=None)
    if best is None:
        return {}
    lower = [key for key, score in scores.items() if score < scores[best]]
    return {key: (scores[best] - scores[key], leads[key] - leads[best]) for key in lower}


def _deciding(found: Candidates, ranked: list[Key], tied: list[Key]) -> Key | None:
    """Return the fit whose ties keep anything from being chosen, if there is one.

    It is the fit of unequal variances with as many components as the best, or the next one: its likelihood is
    unbounded, so that no criterion says that the best is better. Of ties further on, the criterion has already risen
    at a fit between.
    """
    if not ranked:
        return next(iter(tied), None)
    best = ranked[0][0]
    larger = (k for k, family in found.keys if k > best and family == UNEQUAL)
    near = best, next(larger, best)
    return next((key for key in tied if key[0] in near), None)


def _ties(found: Candidates, key: Key, tied: list[Key]) -> str:
    """Say on which values a fit's components sit, and which fits end on ties."""
    where = f"at {found.names(tied)} the likelihood is unbounded there"
    return f"{tied_values(found.fits[key])}, and {where}"


def tied_values(fit: Fit) -> str:
    """Say which tied values the components of a fit sit on: "950 of 1000 values are exactly 0"."""
    if fit.sample is None:
        return "; ".join(fit.notes) or "values are tied"
    values, counts = fit.sample.nodes
    gaps = np.diff(values, prepend=-np.inf, append=np.inf)
    clear = np.minimum(gaps[:-1], gaps[1:]) * fit.sample.unit
    means = (fit.mixture.means - fit.sample.centre) / fit.sample.unit
    nearest = np.abs(values - means[:, None]).argmin(axis=1)
    narrow = (fit.mixture.stds <= clear[nearest]) & (counts[nearest] > 1)
    seats = np.unique(nearest[narrow]) if narrow.any() else [int(counts.argmax())]
    places = [number(fit.sample.centre + fit.sample.unit * values[i], 10) for i in seats]
    first, *others = [
        f"{number(counts[i], 10)} are exactly {place}"
        for i, place in zip(seats, places, strict=True)
    ]
    first = first.replace(" are", f" of {number(fit.sample.n, 10)} values are", 1)
    more = [f"and so on for {len(others) - MOST} more"] if len(others) > MOST else []
    return ", ".join([first, *others[:MOST], *more])


def _praise(found: Candidates, ranked: list[Key], scores: Mapping[Key, float], name: str) -> str:
    """Say what is chosen, and how far the next is."""
    best, *others = ranked
    converged = {key for key, f in found.fits.items() if f.status is Ending.CONVERGED}
    among = "of the converged fits" if converged == {*ranked} else "of those that take part"
    reason = (
        f"{found.name(best)} is chosen: its {name}, {decimals(scores[best])}, is the lowest {among}"
    )
    if not others:
        return reason
    gap = scores[others[0]] - scores[best]
    reason += f"; next is {found.name(others[0])}, {decimals(gap)} higher"
    if name != "BIC":
        return reason
    times = np.exp(min(gap / 2, 50.0))
    rounded = number(float(f"{times:.2g}")) if times < 1e6 else "over a million"
    return f"{reason} ({rounded} times less probable)"


def _held(found: Candidates, ranked: list[Key]) -> str:
    """Name the fits that take part though they are no maxima of the likelihood."""
    held = [key for key in ranked if is_held(found.fits[key])]
    if not held:
        return ""
    take = "take" if len(held) > 1 else "takes"
    return f"; {found.names(held)} {take} part, though penalised: the data support fewer components"


def _aside(
    found: Candidates, words: Mapping[Key, str], chance: Mapping[Key, tuple[float, float]]
) -> str:
    """Name what is left out, and why."""
    loose = {key: word for key, word in words.items() if word not in BECAUSE}
    said = f"; left out, because not converged: {found.names(loose, loose)}" if loose else ""
    for kind, why in BECAUSE.items():
        keys = [key for key, word in words.items() if word == kind]
        far = {key: _distance(*chance[key]) for key in keys if key in chance}
        said += f"; left out, because {why}: {found.names(keys, far)}" if keys else ""
    return said


def _distance(lower: float, needed: float) -> str:
    return f"{decimals(lower)} lower" + (
        f", {decimals(needed)} needed" if needed < math.inf else ""
    )


def _falls(found: Candidates) -> str:
    """Say where the log-likelihood falls as k grows, which that of global maxima does not; penalised fits may be lower."""
    lower = [key for family in found.families for key in _lower(found, family)]
    return (
        f"; with fewer components the log-likelihood is higher than at {found.names(lower)}"
        if lower
        else ""
    )


def _lower(found: Candidates, family: str) -> list[Key]:
    fits = {k: f for k, f in found.of(family).items() if f.reason is None}
    return [
        (b, family)
        for a, b in pairwise(sorted(fits))
        if fits[b].log_likelihood < fits[a].log_likelihood - SLACK
    ]


def decimals(value: float | None) -> str:
    """Write a criterion with two decimals."""
    return "–" if value is None else f"{value + 0.0:.2f}"
