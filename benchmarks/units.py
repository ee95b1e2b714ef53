"""Promise 1: fit(fl(a x + b)) is the transformed fit of the exactly recovered data, on real data."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from figures import Figure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def measure() -> list[Figure]:
    from equivariance import CASES, datasets, distance

    figures = []
    warnings.simplefilter("ignore")
    for name, x in datasets().items():
        worst, ell, fits = 0.0, 0.0, 0
        for k in range(1, 7):
            for a, b in CASES:
                parameters, log_likelihood = distance(x, k, a, b)
                worst, ell, fits = max(worst, parameters), max(ell, log_likelihood), fits + 1
        note = f"worst of {fits} fits, 1 = the bound"
        figures += [
            Figure(f"{name}: parameters", worst, at_most=1, note=note),
            Figure(f"{name}: log-likelihood", ell, at_most=1, note=note),
        ]
    return figures
