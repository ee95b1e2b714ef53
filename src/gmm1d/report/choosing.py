"""How many groups, and why: the choice, what the log-likelihoods do as k grows, and fits that were stopped too early."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.comparison import CRITERIA
from gmm1d.errors import Ending
from gmm1d.formatting import location, number
from gmm1d.report.blocks import Formula, Picture, Section, Table, Text, listed, numbered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gmm1d.comparison import Comparison
    from gmm1d.report.blocks import Block
    from gmm1d.result import Fit

STOPPED = (Ending.TOLERANCE, Ending.MAX_ITER)
ROUNDING = 1e-12  # of |log-likelihood| + n: what is lower by less has not fallen
PURPOSES = (
    "BIC picks the number of Gaussians that describe the density, ICL the number of separate clusters, "
    "AIC the best prediction."
)


def stopped_ks(found: Comparison) -> list[int]:
    """Return the k whose fits were stopped before their maximum."""
    return [k for k, f in found.fits.items() if f.status in STOPPED]


def lowest(fits: Iterable[Fit], criterion: str) -> int | None:
    """Return the k of the lowest criterion, whatever the endings; None if there is none."""
    scores = [(getattr(f, criterion), f.k) for f in fits if getattr(f, criterion) is not None]
    return min(scores)[1] if scores else None


def formulas(found: Comparison) -> list[Formula]:
    """Return the fitted densities, one for every k."""
    return [
        Formula(f"k = {k}", tuple(_terms(f)), chosen=k == found.k) for k, f in found.fits.items()
    ]


def _terms(fit: Fit) -> list[tuple[str, str, str]]:
    m = fit.mixture
    rows = zip(m.weights, m.means, m.stds, strict=True)
    return [(number(w), location(mu, s), number(s)) for w, mu, s in rows]


def choice(found: Comparison) -> Section:
    """Say what speaks for the choice, and what against it."""
    texts = [_each_criterion(found)] if len(found.fits) > 1 else []
    texts += [Text(text, warning=True) for text in _edges(found)]
    if found.k is not None and found.k > 1:
        texts.append(Text(_modes(found.best)))
    blocks: list[Block] = [*texts]
    if len(found.fits) > 1:
        blocks.append(Picture("criteria", "The criteria against k; lower is better.", _alt(found)))
    return Section("choice", "How many groups, and why", tuple(blocks))


def _each_criterion(found: Comparison) -> Text:
    """Say what each of the criteria would choose among the converged fits."""
    converged = [f for f in found.fits.values() if f.status is Ending.CONVERGED]
    would = {name.upper(): lowest(converged, name) for name in CRITERIA}
    if None in would.values():
        return Text(PURPOSES)
    if len(set(would.values())) == 1:
        return Text(f"All three criteria choose k = {would['BIC']}. {PURPOSES}")
    said = [f"{name} is lowest at k = {k}" for name, k in would.items()]
    return Text(
        f"The criteria disagree: {listed(said)}. {found.criterion.upper()} decides here. {PURPOSES}"
    )


def _edges(found: Comparison) -> list[str]:
    """Warn where the chosen k is the largest or the smallest that was tried."""
    tried = sorted({*found.fits, *found.collapsed})
    if len(tried) == 1:
        return [f"Only k = {tried[0]} was tried, so that nothing was compared."]
    if found.k == tried[-1]:
        return [f"k = {found.k} is the largest that was tried: a larger one may be better."]
    if found.k == tried[0] and tried[0] > 1:
        return [f"k = {found.k} is the smallest that was tried: a smaller one may be better."]
    return []


def _modes(fit: Fit) -> str:
    """Say how many modes the density has, and what that means."""
    m = fit.mixture
    modes = m.modes()
    where = listed([location(mode, float(m.stds.min()), 3) for mode in modes])
    text = f"The density of this fit has {numbered(modes.size, 'mode')}, at {where}"
    if modes.size < fit.k:
        return (
            f"{text}: fewer than its {fit.k} components, which overlap so much that some of them "
            "describe the shape of one group rather than groups of their own."
        )
    return f"{text}: one for every component."


def _alt(found: Comparison) -> str:
    chosen = "" if found.k is None else f"; k = {found.k} is chosen"
    ks = listed([str(k) for k in found.fits])
    return f"AIC, BIC and ICL against k = {ks}{chosen}. Their values stand in the next table."


def growth(found: Comparison) -> Section | None:
    """Say what the log-likelihoods do as k grows; None if there are not two."""
    fits = [found.fits[k] for k in sorted(found.fits)]
    if len(fits) < 2:
        return None
    first, last = fits[0], fits[-1]
    verb = "rises" if last.log_likelihood > first.log_likelihood else "falls"
    ends = [number(f.log_likelihood, 10) for f in (first, last)]
    per = 0.5 * np.log(first.n)
    principle = (
        f"From k = {first.k} to k = {last.k} the log-likelihood {verb} from {ends[0]} to {ends[1]}. "
        "A mixture of k + 1 Gaussians can be whatever one of k is, so at global optima the "
        "log-likelihood never falls as k grows, whatever the true number of groups: it cannot choose k. "
        "This is why criteria exist, which ask each step in k for more than its parameters gain by chance."
    )
    asked = (
        f"For each further parameter BIC asks for a gain of {number(per, 4)}, half the logarithm of n, "
        "and AIC for 1."
    )
    table = _gains(fits)
    title = "What the log-likelihoods do as k grows"
    return Section("growth", title, (Text(principle), Text(asked), table, *map(Text, _falls(fits))))


def _gains(fits: list[Fit]) -> Table:
    rows = []
    for a, b in pairwise(fits):
        gain, added = b.log_likelihood - a.log_likelihood, b.n_parameters - a.n_parameters
        asked = {"BIC": 0.5 * added * np.log(b.n), "AIC": float(added)}
        enough = listed([name for name, least in asked.items() if gain > least]) or "none"
        if {a.status, b.status} != {Ending.CONVERGED}:
            enough = "not converged"
        cells = (f"{a.k} to {b.k}", number(gain, 4), *(number(v, 4) for v in asked.values()))
        rows.append((*cells, enough))
    header = ("step in k", "gain", "BIC asks for", "AIC asks for", "enough for")
    return Table(
        "What each step in k gains in log-likelihood, and what is asked for.",
        header,
        tuple(rows),
        words=(0, 4),
    )


def _falls(fits: list[Fit]) -> list[str]:
    """Say where the log-likelihood falls, and why."""
    said = []
    for a, b in pairwise(fits):
        lack = a.log_likelihood - b.log_likelihood
        if lack <= ROUNDING * (abs(a.log_likelihood) + a.n):
            continue
        if a.status in STOPPED or b.status in STOPPED:
            why = "climbs that were stopped before their maxima can be in any order"
        elif b.status is Ending.PENALISED:
            why = "the data support fewer components, and what holds the others costs likelihood"
        elif b.start == "search":
            why = "the search goes for the best optimum of S, which is not the highest maximum"
        else:
            why = f"the climb from the start {b.start!r} ended at a local maximum that is not the highest"
        said.append(f"At k = {b.k} it is {number(lack, 4)} lower than at k = {a.k}: {why}.")
    return said


def stopped(early: Comparison, ended: Comparison | None) -> Section | None:
    """Set fits that were stopped beside the same climbs at their ends; None if none were stopped."""
    ks = stopped_ks(early)
    if not ks:
        return None
    name = early.criterion.upper()
    title = "Fits that were stopped too early"
    named = ", ".join(map(str, ks))
    first = f"The climbs for k = {named} were stopped before they had reached a maximum."
    if ended is None:
        advice = f"{name} compares maxima: compare again without tol and max_iter."
        return Section("stopped", title, (Text(f"{first} {advice}", warning=True),))
    blocks: tuple[Block, ...] = (
        Text(
            f"{first} The same climbs were therefore made again, to their ends.{_unfinished(ended)}"
        ),
        Text(_trap(early, ended), warning=True),
        _beside(early, ended),
        *map(Text, _lessons(early, ended)),
        Text("The formulas where the climbs were stopped:"),
        *formulas(early),
        Picture(
            "multiples",
            "The fits where the climbs were stopped.",
            f"Densities of the stopped fits for k = {', '.join(map(str, early.fits))}, side by side.",
        ),
    )
    return Section("stopped", title, blocks)


def _unfinished(ended: Comparison) -> str:
    ks = ", ".join(map(str, stopped_ks(ended)))
    return f" But those for k = {ks} did not get there either." if ks else ""


def _beside(early: Comparison, ended: Comparison) -> Table:
    name = early.criterion
    header = "k", "steps", "log-likelihood", name.upper()
    there = "steps to the end", "log-likelihood there", f"{name.upper()} there"
    rows = []
    for k in sorted({*early.fits, *ended.fits}):
        sides = [_side(side.fits.get(k), name) for side in (early, ended)]
        rows.append((str(k), *sides[0], *sides[1]))
    caption = f"The climbs where they were stopped, and at their ends; the lowest {name.upper()} of either is marked."
    ks = [row[0] for row in rows]
    lows = (lowest(early.fits.values(), name), 3), (ended.k, 6)
    marked = tuple((ks.index(str(k)), column) for k, column in lows if k is not None)
    return Table(caption, (*header, *there), tuple(rows), marked=marked)


def _side(fit: Fit | None, criterion: str) -> tuple[str, str, str]:
    if fit is None:
        return "–", "–", "–"
    score = getattr(fit, criterion)
    count = "–" if fit.n_iter is None else str(fit.n_iter)
    return count, f"{fit.log_likelihood:#.10g}", "–" if score is None else f"{score:.2f}"


def warning(early: Comparison, ended: Comparison) -> Text:
    """Say above all else that fits were stopped, and what they would have led to."""
    k, right = lowest(early.fits.values(), early.criterion), ended.k
    there = f", where {early.criterion.upper()} is lowest at k = {k}" if k != right else ""
    return Text(
        f"The climbs that were asked for were stopped before their maxima{there}. What is said here rests on the "
        "same climbs made to their ends; both stand side by side below.",
        warning=True,
    )


def _trap(early: Comparison, ended: Comparison) -> str:
    """Say what the stopped fits would have led to."""
    name = early.criterion.upper()
    tempting, right = lowest(early.fits.values(), early.criterion), ended.k
    if right is None:
        return f"Among the stopped fits {name} is lowest at k = {tempting}, which proves nothing."
    if tempting == right:
        return f"{name} is lowest at k = {right} both times, but the stopped fits could not tell."
    return (
        f"Among the stopped fits {name} is lowest at k = {tempting}, among the converged ones at k = {right}. "
        f"The number of groups is decided from the converged fits: {right}."
    )


def _lessons(early: Comparison, ended: Comparison) -> list[str]:
    """Say why stopped fits mislead."""
    both = [k for k in early.fits if k in ended.fits]
    missing = {k: ended.fits[k].log_likelihood - early.fits[k].log_likelihood for k in both}
    texts = []
    if len(missing) > 1:
        far, near = max(missing, key=missing.__getitem__), min(missing, key=missing.__getitem__)
        texts.append(
            f"{early.criterion.upper()} compares maxima. A fit that is stopped below its maximum looks worse than "
            f"its k is, and some are stopped further below than others: k = {far} by {number(missing[far], 3)}, "
            f"k = {near} by {number(missing[near], 3)} in log-likelihood."
        )
    fell = _falls([early.fits[k] for k in sorted(early.fits)])
    if fell:
        texts.append(" ".join(["Stopped fits need not even rise with k.", *fell]))
    elif len(early.fits) > 1:
        texts.append(
            "Not even a log-likelihood that rises with k is sure among stopped fits, though here it does."
        )
    return texts
