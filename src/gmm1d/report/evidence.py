"""What a fit rests on: how each climb ended, the parameters with their errors, whether the mixture fits the data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import diagnostics, uncertainty
from gmm1d.formatting import between, number, residue, steps
from gmm1d.report.blocks import Picture, Section, Table, Text, sentence, signed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.comparison import Comparison
    from gmm1d.result import Fit

    Array = NDArray[np.float64]

LEVEL = 0.95


def thresholds(fit: Fit) -> list[tuple[str, str]]:
    """Return where the most likely group changes, with intervals, and what is doubtful: names and sentences.

    Those that the data do not determine are told if there are no others (see `undetermined`).
    """
    x = fit.mixture.boundaries()
    rows, doubts = [], []
    if not x.size:
        why = "one component is the most likely everywhere" if fit.k > 1 else "there is one group"
        rows.append(("Threshold", f"none: {why}"))
    elif uncertainty.refusal(fit) is not None:
        rows.append(("Threshold", ", ".join(map(number, x))))
    for line in uncertainty.report(fit):
        what, _, rest = line.partition(" ")
        if what == "boundary":
            rows.append(("Threshold", rest))
        elif what != "boundaries" or not rows:
            doubts.append(("Caution", sentence(line)))
    return [(name, signed(text)) for name, text in (*rows, *doubts)]


def undetermined(fit: Fit) -> list[Text]:
    """Return a line on the thresholds that the data do not determine, if there are any."""
    lines = uncertainty.report(fit)
    return [Text(sentence(line)) for line in lines if line.startswith("boundaries")]


def chosen(found: Comparison) -> tuple[Section, Section | None]:
    """Return what is known of the chosen fit: its parameters, and whether it describes the data."""
    return parameters(found), check(found)


def parameters(found: Comparison) -> Section:
    """Return the parameters of the chosen fit with their standard errors and intervals, and the thresholds."""
    fit = found.best
    header, rows = fit.table()
    caption = "The parameters ± their standard errors."
    blocks: list[Text | Table] = [Table(caption, tuple(header), tuple(map(tuple, rows)))]
    if uncertainty.refusal(fit) is None:
        blocks.append(_intervals(fit))
    blocks += undetermined(fit)
    return Section("parameters", f"The parameters for {_chosen(found)}", tuple(blocks))


def _chosen(found: Comparison) -> str:
    assert found.chosen is not None
    return found.name(found.chosen)


def _intervals(fit: Fit) -> Table:
    ends, errors = fit.confidence_intervals(LEVEL), fit.standard_errors()
    columns = [
        [_interval(low, high, error) for (low, high), error in zip(pairs, spread, strict=True)]
        for pairs, spread in (
            (ends.weights, errors.weights),
            (ends.means, errors.means),
            (ends.stds, errors.stds),
        )
    ]
    rows = tuple((str(j), *cells) for j, cells in enumerate(zip(*columns, strict=True), 1))
    return Table("Their 95 % intervals.", ("component", "weight", "mean", "std"), rows)


def _interval(low: float, high: float, error: float) -> str:
    """Write an interval, or a dash where what is fixed has none."""
    return between(low, high, error) if 0 < error < math.inf else "–"


def convergence(found: Comparison) -> Section:
    """Say of every fit how its climb ended, with the evidence."""
    every = found.candidates
    endings = [row[-1] for row in found.table()[1]]
    rows = tuple(
        (*every.cells(key), ending, *_measures(every.fits.get(key)))
        for key, ending in zip(every.keys, endings, strict=True)
    )
    first = len(every.header)
    measures = "start", "steps", "gradient", "Newton decrement", "smallest eigenvalue"
    table = Table(
        "How the climbs ended.",
        (*every.header, "ending", *measures),
        rows,
        words=tuple(range(1, first + 3)),
    )
    texts = []
    for status in dict.fromkeys(f.status for f in every.fits.values()):
        named = every.names(key for key, f in every.fits.items() if f.status is status)
        texts.append(Text(f"{named}: {status.value}."))
    texts += [Text(sentence(note), warning=True) for note in every.notes]
    legend = Text(
        "At a maximum the gradient vanishes, and so does the Newton decrement, the distance to the maximum in standard "
        "errors; the smallest eigenvalue of the information, measured by that of complete data, is positive."
    )
    return Section("evidence", "Convergence", (table, legend, *texts, *_compressed(found)))


def _measures(fit: Fit | None) -> tuple[str, ...]:
    if fit is None:
        return ("–",) * 5
    climb = "–" if fit.trace is None else steps(fit.trace.kind)
    c = fit.certificate
    if c is None:
        return fit.start, climb, "–", "–", "–"
    near = residue(c.gradient_norm), residue(c.newton_decrement)
    return fit.start, climb, *near, number(c.smallest_eigenvalue, 3)


def _compressed(found: Comparison) -> list[Text]:
    """Say how well the log-likelihoods are known where the data were compressed."""
    errors = [abs(f.compression_error) for f in found.candidates.fits.values()]
    if not any(errors):
        return []
    return [
        Text(
            f"The data were compressed, which changes a log-likelihood by at most about {number(max(errors), 2)}."
        )
    ]


def check(found: Comparison) -> Section | None:
    """Say whether the chosen fit describes the data; None if it holds none."""
    fit = found.best
    if fit.sample is None:
        return None
    seen = diagnostics.agreement(fit)
    low, high = diagnostics.simultaneous_band(seen.positions, seen.n)
    outside = (seen.transforms < low) | (seen.transforms > high)
    kind = "distinct values" if fit.sample.sketch is None else "nodes that stand for the values"
    largest = number(float(np.abs(seen.residuals).max()), 2)
    text = (
        f"The distribution functions of the data and of the mixture differ by at most {largest}. "
        + _verdict(seen.values[outside], f"{seen.values.size} {kind}")
    )
    caption = f"How much more of the data than of the mixture of {_chosen(found)} lies below x, and the band of chance."
    alt = f"The differences at {seen.values.size} {kind}, {np.count_nonzero(outside)} of them outside of the band."
    picture = Picture("check", caption, alt, found.k, found.family)
    return Section("check", "Does it fit?", (Text(text), picture))


def _verdict(outside: Array, points: str) -> str:
    band = "the band that holds all of them together in 95 % of the samples from such a mixture"
    if not outside.size:
        return f"All {points} lie in {band}: nothing speaks against the fit."
    span = f"from {number(outside[0], 4)} to {number(outside[-1], 4)}"
    where = span if outside.size > 1 else f"at {number(outside[0], 4)}"
    return f"{outside.size} of the {points}, {where}, lie outside {band}: there the mixture misses something."
