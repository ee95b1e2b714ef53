"""How often 95 % intervals hold the truth: samples of n = 2 000 from the Marron-Wand densities 6, 7 and 8.

A simulation counts if its fit, from the default search, is CONVERGED; components are matched in the order of the
means. Whatever else happened is counted in the notes.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from figures import Figure

import gmm1d
from gmm1d.errors import FitWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Covered = NDArray[np.bool_]

DENSITIES = (6, 7, 8)
SIMULATIONS, N, LEVEL = 2000, 2000, 0.95
LEAST, MOST = 0.93, 0.97
CASES = Path(__file__).parents[1] / "tests" / "data" / "marron_wand.json"


def measure() -> list[Figure]:
    densities = {density["id"]: density for density in json.loads(CASES.read_text())["densities"]}
    return [figure for number in DENSITIES for figure in _figures(number, densities[number])]


def _figures(number: int, density: dict[str, Any]) -> list[Figure]:
    truth = gmm1d.Mixture(density["weights"], density["means"], density["sds"])
    found = [_covered(truth, np.random.default_rng([number, seed])) for seed in range(SIMULATIONS)]
    counted = [covered for covered in found if covered is not None]
    share = np.mean(counted, axis=0)
    j = [str(component) for component in range(1, truth.k + 1)]
    names = [f"{name} {i}" for name in ("weight", "mean", "std") for i in j]
    names += [f"boundary {at:.3g}" for at in truth.boundaries()]
    note = f"n = {N}: {len(counted)} simulations, {SIMULATIONS - len(counted)} more not CONVERGED"
    title, mean = f"MW{number}, mean of the free parameters", float(share[1 : 3 * truth.k].mean())
    single = zip(names, share.tolist(), strict=True)
    return [
        Figure(title, mean, LEAST, MOST, note),
        *(Figure(f"MW{number}, {name}", value, LEAST, MOST) for name, value in single),
    ]


def _covered(truth: gmm1d.Mixture, rng: np.random.Generator) -> Covered | None:
    """Fit one sample; tell which intervals hold the truth, or return None if the fit is not CONVERGED.

    A true boundary is held by the interval of the nearest fitted one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        f = gmm1d.fit(truth.rvs(N, rng=rng), truth.k)
    if f.status is not gmm1d.Ending.CONVERGED:
        return None
    intervals = f.confidence_intervals(LEVEL)
    there = truth.boundaries()
    # a fit without boundaries has one at infinity, which holds nothing
    fitted = np.append(f.mixture.boundaries(), np.inf)
    ends = np.vstack([intervals.boundaries, [np.inf, np.inf]])
    nearest = np.abs(fitted - there[:, None]).argmin(axis=1)
    pairs = [
        (truth.weights, intervals.weights),
        (truth.means, intervals.means),
        (truth.stds, intervals.stds),
        (there, ends[nearest]),
    ]
    return np.concatenate([(held[:, 0] <= at) & (at <= held[:, 1]) for at, held in pairs])
