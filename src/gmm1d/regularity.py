"""Which fitted components are findings, and which sit on ties, on single points or on outliers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.formatting import location, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gmm1d.mixture import Mixture
    from gmm1d.sample import Sample

CHUNK = 1 << 16


def is_regular(mixture: Mixture, sample: Sample) -> bool:
    """Tell whether every component is a finding by the convention of the reference fits.

    Its std is at least 0.001 of the data's, and either it is wide (std at least 0.25 of the data's) and its expected
    count at least 1.9, or its expected count is at least 2.5 and 3 distinct values lie within 3 stds of its mean.
    """
    return all(_is_regular(sample, *component) for component in _components(mixture))


def is_sound(mixture: Mixture, sample: Sample) -> bool:
    """Tell whether every component is regular or, however narrow, spreads over √m of the data's m distinct values.

    So many values so close together are neither accident nor rounding: such a component is a finding, too.
    """
    enough = math.ceil(math.sqrt(len(sample.pilot()[0])))
    return all(
        _is_regular(sample, weight, mean, std)
        or _n_distinct(sample, mean, 3 * std, enough) >= enough >= 3
        for weight, mean, std in _components(mixture)
    )


def remarks(mixture: Mixture, sample: Sample) -> tuple[str, ...]:
    """Name the components that should not be taken for findings, a sentence each."""
    found = []
    for j, (weight, mean, std) in enumerate(_components(mixture), 1):
        who = f"component {j} (mean {location(mean, std)}, sd {number(std)})"
        if weight * sample.n < 1.9:
            found.append(
                f"{who} has an expected count of only {number(weight * sample.n, 3)}{seat(sample, mean, std)}"
            )
        elif std < 0.25 * sample.std and _n_distinct(sample, mean, 3 * std, 3) < 3:
            found.append(f"{who} is a spike, not a bump{seat(sample, mean, std)}")
        elif std < 1e-3 * sample.std:
            found.append(f"{who} is {number(sample.std / std, 3)} times narrower than the data")
    return tuple(found)


def seat(sample: Sample, mean: float, std: float) -> str:
    """Say on which values a narrow component sits and how many points have them."""
    points = 0.0
    values: set[float] = set()
    for near, weight in _near(sample, mean, 3 * std):
        points += weight
        values.update(near.tolist())
        if len(values) > 2:
            return ""
    if not values:
        return ""
    named = " and ".join(number(value, 10) for value in sorted(values))
    return f": it sits on {named}, {number(points, 10)} of {number(sample.n, 10)} values"


def _components(mixture: Mixture) -> Iterator[tuple[float, float, float]]:
    return zip(mixture.weights, mixture.means, mixture.stds, strict=True)


def _is_regular(sample: Sample, weight: float, mean: float, std: float) -> bool:
    count = weight * sample.n
    wide = std >= 0.25 * sample.std and count >= 1.9
    return std >= 1e-3 * sample.std and (
        wide or (count >= 2.5 and _n_distinct(sample, mean, 3 * std, 3) >= 3)
    )


def _near(
    sample: Sample, mean: float, radius: float
) -> Iterator[tuple[NDArray[np.float64], float]]:
    """Yield the distinct points within `radius` of `mean` and their total weight, chunk by chunk."""
    for start in range(0, len(sample.points), CHUNK):
        chunk = sample.points[start : start + CHUNK]
        near = np.abs(chunk - mean) <= radius
        if near.any():
            weights = (
                near if sample.weights is None else sample.weights[start : start + CHUNK][near]
            )
            yield np.unique(chunk[near]) + 0.0, float(weights.sum())


def _n_distinct(sample: Sample, mean: float, radius: float, enough: int) -> int:
    """Count the distinct points within `radius` of `mean`, up to `enough`."""
    values: set[float] = set()
    for near, _ in _near(sample, mean, radius):
        values.update(near[:enough].tolist())
        if len(values) >= enough:
            break
    return len(values)
