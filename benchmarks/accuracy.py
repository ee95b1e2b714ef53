"""The engine's statistics against the textbook's in long double: the worst error in units of what is allowed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from figures import Figure

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def measure() -> list[Figure]:
    from long_double import errors

    rng = np.random.default_rng(20)
    worst = np.zeros(2)
    cases = 300
    for _ in range(cases):
        k, n = int(rng.integers(1, 21)), int(rng.integers(1, 5001))
        x = np.round(rng.normal(size=n) * rng.choice([1, 10]), rng.choice([1, 12]))
        x[rng.integers(n)] = rng.choice([x[0], -1000.0, 1000.0])
        scale = 10.0 ** rng.integers(-150, 150)
        means, stds = rng.normal(size=k) * 3 * scale, np.exp(rng.uniform(-2, 1, k)) * scale
        sample_weight = rng.exponential(size=n) if rng.random() < 0.5 else None
        worst = np.maximum(
            worst, errors(x * scale, rng.dirichlet(np.ones(k)), means, stds, sample_weight)
        )
    note = f"worst of {cases} random problems, 1 = the bound"
    return [
        Figure(
            "log-likelihood error / (1e-13 (1 + max z²) Σ|terms|)", worst[0], at_most=1, note=note
        ),
        Figure("statistics error / (1e-14 (1 + max z²) Σ|terms|)", worst[1], at_most=1, note=note),
    ]
