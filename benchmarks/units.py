"""Promise 1: fit(fl(a x + b)) is the transformed fit of the exactly recovered data: real data, and samples that are compressed."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import marron_wand
import numpy as np
from figures import Figure

import gmm1d

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from equivariance import CASES, datasets, distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPRESSED = (2, 6, 8, 9)  # Marron and Wand's densities, at their k
N = 100_000


def measure() -> list[Figure]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gmm1d.errors.FitWarning)
        exact = [figure for name, x in datasets().items() for figure in _figures(name, x)]
        return [*exact, *_compressed()]


def _figures(name: str, x: NDArray[np.float64]) -> list[Figure]:
    """Shift by so many standard deviations, as the tests do, and by so many ranges of the data."""
    figures = []
    for unit, size in (("sd", 1.0), ("range", float(np.ptp(x) / np.std(x)))):
        cases = [(k, a, shift) for k in range(1, 7) for a, shift in CASES if unit == "sd" or shift]
        far = np.array([distance(x, k, a, shift * size) for k, a, shift in cases])
        over = [case for case, both in zip(cases, far, strict=True) if both.max() > 1]
        note = f"worst of {len(far)} fits, 1 = the bound"
        if over:
            note += f"; above in {len(over)}: " + _named(over[:3])
        for what, worst in zip(("parameters", "log-likelihood"), far.max(axis=0), strict=True):
            title = f"{name}, b in units of the {unit}: {what}"
            figures.append(Figure(title, float(worst), at_most=1, note=note))
    return figures


def _named(cases: list[tuple[int, float, float]]) -> str:
    return ", ".join(f"k={k} a={a:g} b={shift:+g}" for k, a, shift in cases)


def _compressed() -> list[Figure]:
    """Do the same with more values than are fitted as they are."""
    far = np.array(
        [
            _apart(marron_wand.sample(density, N, 0), marron_wand.components(density), a, shift)
            for density in COMPRESSED
            for a, shift in CASES
        ]
    )
    level, parameters = far.max(axis=0).tolist()
    note = f"worst of {len(far)} fits of n = {N}"
    return [
        Figure(
            "compressed: log-likelihood / (compression errors + rounding)",
            level,
            at_most=1,
            note=note,
        ),
        Figure("compressed: parameters, in standard errors", parameters, at_most=1e-4, note=note),
    ]


def _apart(x: NDArray[np.float64], k: int, a: float, shift: float) -> tuple[float, float]:
    """Return how far the two fits are apart: in what is allowed, and in standard errors."""
    b = float(shift * abs(a) * np.std(x))
    y = a * x + b
    one, two = gmm1d.fit(y, k), gmm1d.fit((y - b) / a, k)
    rounding = 1e-12 * one.n * (1 + abs(np.log(abs(a))))
    allowed = abs(one.compression_error) + abs(two.compression_error) + rounding
    gap = one.log_likelihood + one.n * np.log(abs(a)) - two.log_likelihood
    m, errors = two.mixture, two.standard_errors()
    there = one.mixture.weights, (one.mixture.means - b) / a, one.mixture.stds / abs(a)
    way = slice(None, None, -1 if a < 0 else 1)
    apart = [
        np.abs(theirs[way] - ours) / error
        for theirs, ours, error in zip(
            there,
            (m.weights, m.means, m.stds),
            (errors.weights, errors.means, errors.stds),
            strict=True,
        )
    ]
    return abs(gap) / allowed, float(np.max(apart))
