"""Which fitted components are findings, and which sit on ties, on single points or on outliers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gmm1d import _engine
from gmm1d.formatting import location, number

if TYPE_CHECKING:
    from collections.abc import Container

    from gmm1d.mixture import Mixture
    from gmm1d.sample import Sample


def judge(mixture: Mixture, sample: Sample) -> list[str]:
    """Return for every component "regular", "dense", "faint", "spike" or "narrow".

    Regular, by the convention of the reference fits: the std is at least 0.001 of the data's, and either it is wide
    (at least 0.25 of the data's) and its expected count at least 1.9, or its expected count is at least 2.5 and 3
    distinct values lie within 3 stds of its mean. Dense: narrower, but √m of the m distinct values lie there, which
    is neither accident nor rounding.
    """
    return _engine.judge(
        *sample.nodes,
        mixture.weights,
        (mixture.means - sample.centre) / sample.unit,
        mixture.stds / sample.unit,
    )


def is_regular(mixture: Mixture, sample: Sample) -> bool:
    """Tell whether every component is a finding by the convention of the reference fits."""
    return set(judge(mixture, sample)) == {"regular"}


def is_sound(mixture: Mixture, sample: Sample) -> bool:
    """Tell whether every component is regular or dense."""
    return set(judge(mixture, sample)) <= {"regular", "dense"}


def remarks(mixture: Mixture, sample: Sample, wanting: Container[int] = ()) -> tuple[str, ...]:
    """Name the components that should not be taken for findings, a sentence each.

    Of those that are said to want to collapse, only faint ones are named again.
    """
    verdicts = judge(mixture, sample)
    if set(verdicts) == {"regular"}:
        return ()
    found = []
    for j, verdict in enumerate(verdicts):
        weight, mean, std = mixture.weights[j], mixture.means[j], mixture.stds[j]
        who = f"component {j + 1} (mean {location(mean, std)}, sd {number(std)})"
        slim = std < 1e-3 * sample.std
        if verdict == "faint" or (verdict == "narrow" and not slim):
            count = number(weight * sample.n, 3)
            found.append(f"{who} has an expected count of only {count}{seat(sample, mean, std)}")
        elif j in wanting:
            continue
        elif verdict == "spike":
            found.append(f"{who} is a spike, not a bump{seat(sample, mean, std)}")
        elif verdict in ("narrow", "dense") and slim:
            found.append(f"{who} is {number(sample.std / std, 3)} times narrower than the data")
    return tuple(found)


def seat(sample: Sample, mean: float, std: float) -> str:
    """Say on which values a narrow component sits, how many points have them, and the recording step if ties cause it."""
    values, counts = sample.nodes
    middle, radius = (mean - sample.centre) / sample.unit, 3 * std / sample.unit
    first = int(np.searchsorted(values, middle - radius))
    last = int(np.searchsorted(values, middle + radius, "right"))
    if not 0 < last - first <= 2:
        return ""
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
