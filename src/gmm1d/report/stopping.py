"""Fits that were stopped too early, beside the same climbs at their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gmm1d.formatting import number
from gmm1d.report.blocks import Picture, Section, Table, Text
from gmm1d.report.choosing import formulas, lowest, stopped_keys
from gmm1d.report.growth import falls

if TYPE_CHECKING:
    from gmm1d.comparison import Comparison
    from gmm1d.report.blocks import Block
    from gmm1d.result import Fit


def stopped(early: Comparison, ended: Comparison | None) -> Section | None:
    """Set fits that were stopped beside the same climbs at their ends; None if none were stopped."""
    keys = stopped_keys(early)
    if not keys:
        return None
    name = early.criterion.upper()
    title = "Fits that were stopped too early"
    named = early.candidates.names(keys)
    first = f"The climbs for {named} were stopped before they had reached a maximum."
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
            f"Densities of the stopped fits for {early.candidates.names(early.candidates.fits)}, side by side.",
        ),
    )
    return Section("stopped", title, blocks)


def _unfinished(ended: Comparison) -> str:
    keys = stopped_keys(ended)
    named = ended.candidates.names(keys)
    return f" But those for {named} did not get there either." if keys else ""


def _beside(early: Comparison, ended: Comparison) -> Table:
    name, found = early.criterion, early.candidates
    here = "steps", "log-likelihood", name.upper()
    there = "steps to the end", "log-likelihood there", f"{name.upper()} there"
    rows = []
    for key in found.keys:
        sides = [_side(side.fits.get(key), name) for side in (found, ended.candidates)]
        rows.append((*found.cells(key), *sides[0], *sides[1]))
    caption = f"The climbs where they were stopped, and at their ends; the lowest {name.upper()} of either is marked."
    first = len(found.header)
    lows = (lowest(early, name, all_fits=True), first + 2), (ended.chosen, first + 5)
    marked = tuple((found.keys.index(key), column) for key, column in lows if key is not None)
    words = tuple(range(1, first))
    return Table(caption, (*found.header, *here, *there), tuple(rows), words, marked=marked)


def _side(fit: Fit | None, criterion: str) -> tuple[str, str, str]:
    if fit is None:
        return "–", "–", "–"
    score = getattr(fit, criterion)
    count = "–" if fit.n_iter is None else str(fit.n_iter)
    return count, f"{fit.log_likelihood:#.10g}", "–" if score is None else f"{score:.2f}"


def warning(early: Comparison, ended: Comparison) -> Text:
    """Say above all else that fits were stopped, and what they would have led to."""
    name = early.criterion
    tempting = lowest(early, name, all_fits=True)
    there = (
        f", where {name.upper()} is lowest at {early.name(tempting)}"
        if tempting is not None and tempting != ended.chosen
        else ""
    )
    return Text(
        f"The climbs that were asked for were stopped before their maxima{there}. What is said here rests on the "
        "same climbs made to their ends; both stand side by side below.",
        warning=True,
    )


def _trap(early: Comparison, ended: Comparison) -> str:
    """Say what the stopped fits would have led to."""
    name = early.criterion.upper()
    tempting, right = lowest(early, early.criterion, all_fits=True), ended.chosen
    where = "nowhere" if tempting is None else f"at {early.name(tempting)}"
    if right is None:
        return f"Among the stopped fits {name} is lowest {where}, which proves nothing."
    if tempting == right:
        return f"{name} is lowest {where} both times, but the stopped fits could not tell."
    return (
        f"Among the stopped fits {name} is lowest {where}, among the converged ones at {ended.name(right)}. "
        f"The number of groups is decided from the converged fits: {right[0]}."
    )


def _lessons(early: Comparison, ended: Comparison) -> list[str]:
    """Say why stopped fits mislead."""
    before, after = early.candidates.fits, ended.candidates.fits
    missing = {
        key: after[key].log_likelihood - f.log_likelihood
        for key, f in before.items()
        if key in after
    }
    texts = []
    if len(missing) > 1:
        far, near = max(missing, key=missing.__getitem__), min(missing, key=missing.__getitem__)
        texts.append(
            f"{early.criterion.upper()} compares maxima. A fit that is stopped below its maximum looks worse than "
            f"its k is, and some are stopped further below than others: {early.name(far)} by {number(missing[far], 3)}, "
            f"{early.name(near)} by {number(missing[near], 3)} in log-likelihood."
        )
    fell = [said for family in early.families for said in falls(early, family)]
    if fell:
        texts.append(" ".join(["Stopped fits need not even rise with k.", *fell]))
    elif len(early.fits) > 1:
        texts.append(
            "Not even a log-likelihood that rises with k is sure among stopped fits, though here it does."
        )
    return texts
