"""How far the engine's sums are from the textbook's in long double, in units of what is allowed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmm1d import _engine, textbook

EXACT = np.longdouble
Floats = NDArray[Any]


def textbook_sums(
    x: Floats, weights: Floats, means: Floats, stds: Floats, sample_weight: Floats | None
) -> tuple[Floats, Floats, Any]:
    """Return log-likelihood and statistics in long double, the sums of their absolute terms, and max z²."""
    x, weights, means, stds = (np.asarray(v, dtype=EXACT) for v in (x, weights, means, stds))
    w = (
        np.ones(len(x), dtype=EXACT)
        if sample_weight is None
        else np.asarray(sample_weight, dtype=EXACT)
    )
    z = (x[:, None] - means) / stds
    r = textbook.e_step(x, weights, means, stds**2)
    logs = textbook.log_sum_exp(textbook.log_joint_density(x, weights, means, stds**2))
    terms = [w * logs, *(w * r[:, j] * z[:, j] ** p for p in range(3) for j in range(len(weights)))]
    return (
        np.array([t.sum() for t in terms]),
        np.array([np.abs(t).sum() for t in terms]),
        np.max(z**2),
    )


def errors(
    x: Floats, weights: Floats, means: Floats, stds: Floats, sample_weight: Floats | None
) -> tuple[float, float]:
    """Return the error of the log-likelihood and the worst of the statistics, 1 being the most that is allowed."""
    exact, absolute, z2 = textbook_sums(x, weights, means, stds, sample_weight)
    factor = 2.0 ** -np.frexp(np.max(stds))[1]
    got = _engine.em_sums(
        x, sample_weight, 0.0, factor, weights, means * factor, stds * factor
    ).astype(EXACT)
    n = len(x) if sample_weight is None else np.sum(sample_weight.astype(EXACT))
    got[0] += n * np.log(EXACT(factor))
    allowed = (1 + z2) * absolute * np.where(np.arange(len(exact)) == 0, EXACT(1e-13), EXACT(1e-14))
    error = np.abs(got - exact) / (allowed + np.finfo(float).tiny)
    return float(error[0]), float(error[1:].max())
