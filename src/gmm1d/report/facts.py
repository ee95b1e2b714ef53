"""What a write-up says: the answer first, then formulas, criteria, pictures, reasons, evidence and provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gmm1d
from gmm1d import views
from gmm1d.errors import Ending, InputError
from gmm1d.formatting import count, location, number
from gmm1d.report import choosing, evidence, growth, provenance, stopping
from gmm1d.report.blocks import (
    Facts,
    Model,
    Picture,
    Section,
    Table,
    Text,
    Writeup,
    numbered,
    plain,
    sentence,
    signed,
    typeset,
)
from gmm1d.report.provenance import NOTHING

if TYPE_CHECKING:
    from gmm1d.comparison import Comparison
    from gmm1d.families import Key
    from gmm1d.report.provenance import Source
    from gmm1d.result import Fit

CRITERIA = (
    "With the log-likelihood ℓ, n values and p free parameters, AIC = 2p − 2ℓ and BIC = p log n − 2ℓ; "
    "ICL is BIC plus twice the entropy of the memberships. Lower is better."
)


def writeup(
    found: Comparison,
    *,
    ended: Comparison | None = None,
    xlabel: str = "x",
    title: str | None = None,
    source: Source = NOTHING,
    command: str = "",
) -> Writeup:
    """Return what a write-up of a comparison says.

    Parameters
    ----------
    found : Comparison
    ended : Comparison, optional
        The same climbs to their ends, where those of `found` were stopped by tol or max_iter: it decides.
    xlabel : str
        What x is, with its unit.
    title : str, optional
    source : Source
        What was read.
    command : str
        The command that makes the same write-up; by default the call of `gmm1d.compare` is told.

    Raises
    ------
    InputError
        If `ended` is of other k or families.
    ReadError
        If a file of `source` cannot be read.
    """
    if ended is not None and ended.candidates.keys != found.candidates.keys:
        raise InputError("ended holds other k or families: compare again with the same ones")
    stopped = found if ended is not None and choosing.stopped_keys(found) else None
    decided = found if ended is None else ended
    label, made = " ".join(plain(xlabel).split()) or "x", provenance.date()
    sections = [
        _answer(decided, stopped),
        choosing.choice(decided),
        _criteria(decided),
        Section("formulas", "The fitted formulas", (Model(), *choosing.formulas(decided))),
        _pictures(decided, label),
        growth.growth(decided),
        stopping.stopped(found, ended),
        *(() if decided.k is None else evidence.chosen(decided)),
        evidence.convergence(decided),
        provenance.section(decided, source, command, made),
    ]
    of = "the data" if label == "x" else label
    return Writeup(
        title=plain(title) if title else f"How many groups are in {of}?",
        summary=_summary(decided),
        xlabel=label,
        date=made,
        version=gmm1d.__version__,
        sections=tuple(typeset(section) for section in sections if section is not None),
        found=decided,
        stopped=stopped,
        span=_span(decided),
    )


def _summary(found: Comparison) -> str:
    if found.k is None:
        return signed(sentence(found.reason))
    values = f"The {count(found.best.n)} values are"
    groups = numbered(found.k, "group")
    if len(found.candidates.keys) == 1:
        return f"{values} described by {groups}; no other number was tried."
    return signed(f"{values} best described by {groups}. {sentence(found.reason)}")


def _answer(found: Comparison, stopped: Comparison | None) -> Section:
    """Say how many groups, where the thresholds are, how large each group is, and how sure that is."""
    title = "The answer"
    texts = [Text(_summary(found), warning=found.k is None)]
    if stopped is not None:
        texts.append(stopping.warning(stopped, found))
    if found.k is None:
        return Section("answer", title, tuple(texts))
    fit = found.best
    notes = [("Note", sentence(note)) for note in fit.notes]
    facts = Facts((*evidence.thresholds(fit), ("How sure", sentence(fit.status.value)), *notes))
    return Section("answer", title, (*texts, _groups(fit), facts))


def _groups(fit: Fit) -> Table:
    m = fit.mixture
    rows = [
        (
            str(j),
            f"{number(100 * w, 3)} %",
            number(round(w * fit.n), 12),
            location(mu, s, 3),
            number(s, 3),
        )
        for j, (w, mu, s) in enumerate(zip(m.weights, m.means, m.stds, strict=True), 1)
    ]
    header = ("group", "share", "values, about", "mean", "standard deviation")
    return Table("The groups.", header, tuple(rows))


def _criteria(found: Comparison) -> Section:
    header, rows = found.table()
    table = Table(
        "Log-likelihood and criteria of every k.",
        tuple(header),
        tuple((row[0].lstrip("*"), *row[1:]) for row in rows),
        words=tuple(header.index(name) for name in ("variances", "ending") if name in header),
        chosen=found.row,
    )
    return Section("criteria", "Log-likelihood and criteria", (table, Text(CRITERIA)))


def _pictures(found: Comparison, label: str) -> Section:
    pictures = [_picture(found, key, label) for key in found.candidates.fits]
    return Section("pictures", "The plots", tuple(pictures))


def _picture(found: Comparison, key: Key, label: str) -> Picture:
    fit = found.candidates.fits[key]
    ended = "" if fit.status is Ending.CONVERGED else f", {fit.status.name.lower()}"
    m = fit.mixture
    means = [location(mu, s, 3) for mu, s in zip(m.means[:20], m.stds, strict=False)]
    total = ", and their sum" * (fit.k > 1)
    alt = (
        f"{count(fit.n)} values of {label}, and the density of {numbered(fit.k, 'weighted Gaussian')} "
        f"around {', '.join(means)}{total}."
    )
    caption = f"{found.name(key)}{ended}{' (chosen)' * (key == found.chosen)}"
    return Picture("fit", caption, alt, *key)


def _span(found: Comparison) -> tuple[float, float]:
    """Return the stretch that shows the fits of all k."""
    each = [views.view(f.mixture, f.n, f.sample) for f in found.candidates.fits.values()]
    return min(v.low for v in each), max(v.high for v in each)
