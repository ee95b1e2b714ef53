"""The fifteen densities of Marron and Wand, samples of them, and 450 problems: each density at three sizes, ten times.

Marron and Wand (1992), Exact mean integrated squared error, Annals of Statistics 20:712-736, table 1.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import gmm1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

DENSITIES = Path(__file__).parents[1] / "tests" / "data" / "marron_wand.json"
SIZES = (200, 2_000, 10_000)
SEEDS = range(10)
Problem = tuple[int, int, int]  # density, n, seed
PROBLEMS: tuple[Problem, ...] = tuple(
    (density, n, seed) for n, density, seed in product(SIZES, range(1, 16), SEEDS)
)


@cache
def densities() -> dict[int, dict[str, Any]]:
    """Return the fifteen densities by number."""
    listed = json.loads(DENSITIES.read_text("utf-8"))["densities"]
    return {density["id"]: density for density in listed}


def components(density: int) -> int:
    """Return the true k."""
    return int(densities()[density]["k"])


def truth(density: int) -> gmm1d.Mixture:
    """Return the density itself."""
    d = densities()[density]
    return gmm1d.Mixture(d["weights"], d["means"], d["sds"])


def sample(density: int, n: int, seed: int) -> NDArray[np.float64]:
    """Draw n values: first all labels, then all normals."""
    d = densities()[density]
    rng = np.random.default_rng(seed)
    label = rng.choice(d["k"], size=n, p=np.array(d["weights"]))
    return rng.normal(np.array(d["means"])[label], np.array(d["sds"])[label])
