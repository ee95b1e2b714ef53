"""Promise 1: fit(fl(a x + b)) is the transformed fit of the exactly recovered data, on real data."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from figures import Figure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from equivariance import CASES, datasets, distance

if TYPE_CHECKING:
    from numpy.typing import NDArray


def measure() -> list[Figure]:
    warnings.simplefilter("ignore")
    return [figure for name, x in datasets().items() for figure in _figures(name, x)]


def _figures(name: str, x: NDArray[np.float64]) -> list[Figure]:
    """Shift by so many standard deviations, as the tests do, and by so many ranges of the data."""
    figures = []
    for unit, size in (("sd", 1.0), ("range", float(np.ptp(x) / np.std(x)))):
        far = [
            distance(x, k, a, shift * size)
            for k in range(1, 7)
            for a, shift in CASES
            if unit == "sd" or shift
        ]
        note = f"worst of {len(far)} fits, 1 = the bound"
        for what, worst in zip(("parameters", "log-likelihood"), np.max(far, axis=0), strict=True):
            title = f"{name}, b in units of the {unit}: {what}"
            figures.append(Figure(title, float(worst), at_most=1, note=note))
    return figures
