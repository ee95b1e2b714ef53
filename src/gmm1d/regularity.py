"""Which fitted components are no findings: held by the penalty alone, on ties, or clumps that chance makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gmm1d import climbing
from gmm1d.climbing import Rules
from gmm1d.formatting import listed, location, number
from gmm1d.starts import Start

if TYPE_CHECKING:
    from gmm1d.climbing import Climb
    from gmm1d.sample import Sample

NEAR = 1.0  # how far the log of a std may be between an optimum of the likelihood and of S, as in the engine


def reasons(found: Climb, sample: Sample) -> list[str]:
    """Say why the best fit of a search is PENALISED, a sentence each; nothing where it is not."""
    if found.reason is None:
        return []
    end, k = found.end, found.end.k
    held = sorted(found.held, key=lambda j: (end.means[j], j))
    if found.reason == "ties":
        return [
            f"component {_place(end, j)} wants to collapse{tie(sample, end.means[j])}; its std is held at half the gap "
            "to the nearest other value"
            for j in held
        ]
    if not held:
        return [f"the data support fewer than {k} components, and do not tell which"]
    named = listed([_name(end, j) for j in held])
    are = "are" if len(held) > 1 else "is"
    fewer = f"{max(k - len(held), 1)} component{'s' * (k - len(held) > 1)}"
    return [f"the data support {fewer} at most, not {k}: {named} {are} held by the penalty alone"]


def clumps(found: Climb, sample: Sample, rules: Rules) -> list[str]:
    """Name the components at the end of a climb from a given start that S would rather do without, a sentence each.

    They are narrow beside the component around them, and S is higher where they are taken away and that one is two.
    """
    end = found.end
    if end.k == 1 or rules.constraints.equal_variances or found.certificate is None:
        return []
    free = Rules("newton", None, climbing.FEW_STEPS, rules.threads)
    here = climbing.climb(sample, end, free, penalised=True)
    notes = []
    for j in np.argsort(end.means, kind="stable"):
        around = _around(end, int(j))
        if here.collapsed == j:
            notes.append(f"{_name(end, j)} is a spike{seat(sample, end.means[j], end.stds[j])}")
        elif end.stds[j] < np.exp(-NEAR) * end.stds[around]:
            left = here.end.stds[j] > np.exp(NEAR) * end.stds[j]  # S does not keep it there
            if left or _higher(sample, _replaced(end, int(j), around), free, here.objective):
                notes.append(_clump(end, int(j), sample))
    return notes


def _higher(sample: Sample, start: Start, free: Rules, objective: float) -> bool:
    found = climbing.climb(sample, start, free, penalised=True)
    return found.collapsed is None and found.objective > objective


def _clump(end: Start, j: int, sample: Sample) -> str:
    count, width = number(end.weights[j] * sample.n, 3), number(3 * end.stds[j], 2)
    return (
        f"{_name(end, j)} is {count} values within {width} of its mean, which the penalised likelihood S would "
        f"rather do without: samples of {number(sample.n, 10)} values have such clumps by chance"
    )


def _around(end: Start, j: int) -> int:
    """Return the other component that is the most likely at the mean of component j."""
    z = (end.means[j] - end.means) / end.stds
    with np.errstate(divide="ignore"):
        scores = np.log(end.weights) - np.log(end.stds) - z * z / 2
    scores[j] = -np.inf
    return int(scores.argmax())


def _replaced(end: Start, j: int, around: int) -> Start:
    """Return the start without component j, and with the component around it in two halves."""
    weights, means, stds = (row.copy() for row in (end.weights, end.means, end.stds))
    weights[j] = weights[around] = (weights[j] + weights[around]) / 2
    means[j], stds[j] = means[around], stds[around]
    return Start(weights, means, stds)


def _name(end: Start, j: int) -> str:
    place = int((end.means < end.means[j]).sum() + (end.means[:j] == end.means[j]).sum()) + 1
    return (
        f"component {place} (mean {location(end.means[j], end.stds[j])}, sd {number(end.stds[j])})"
    )


def _place(end: Start, j: int) -> int:
    """Return the number of a component, by mean."""
    return int((end.means < end.means[j]).sum() + (end.means[:j] == end.means[j]).sum()) + 1


def tie(sample: Sample, mean: float) -> str:
    """Say on which value a component of this mean sits, as `seat` does."""
    nearest = int(np.abs(sample.nodes[0] - (mean - sample.centre) / sample.unit).argmin())
    return _seat(sample, nearest, nearest + 1)


def seat(sample: Sample, mean: float, std: float) -> str:
    """Say on which values a narrow component sits, how many points have them, and the recording step if ties cause it."""
    values = sample.nodes[0]
    middle, radius = (mean - sample.centre) / sample.unit, 3 * std / sample.unit
    first = int(np.searchsorted(values, middle - radius))
    last = int(np.searchsorted(values, middle + radius, "right"))
    return _seat(sample, first, last) if 0 < last - first <= 2 else ""


def _seat(sample: Sample, first: int, last: int) -> str:
    values, counts = sample.nodes
    named = " and ".join(
        number(sample.centre + sample.unit * value, 10) for value in values[first:last]
    )
    points = counts[first:last].sum()
    text = f": it sits on {named}, {number(points, 10)} of {number(sample.n, 10)} values"
    step = recording_step(sample)
    if points > last - first and step:
        text += f", recorded in steps of {number(step, 6)}"
    return text


def recording_step(sample: Sample) -> float:
    """Return the step in which tied values were recorded: the commonest gap of distinct values, 0 where there is none."""
    values = sample.nodes[0]
    if len(values) < 3 or len(values) > 0.9 * sample.n:
        return 0.0
    gaps = np.diff(values)
    rounded = np.round(gaps / gaps.min() * 1e3)
    steps, times = np.unique(rounded, return_counts=True)
    most = times.argmax()
    if 2 * times[most] < len(gaps):
        return 0.0
    return float(np.median(gaps[rounded == steps[most]]) * sample.unit)
