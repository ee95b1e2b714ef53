"""What is known about a point from the gradient and the Hessian of the log-likelihood there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import _engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

# The conditions of Ending.CONVERGED.
GRADIENT, DECREMENT, CURVATURE = 1e-8, 1e-6, 1e-6


@dataclass(frozen=True)
class Penalty:
    """The weak penalty −a Σ (v0/σ² + log(σ²/v0) − 1) that bounds the likelihood (Chen, Tan and Zhang, 2008).

    `std` is √v0 in the units of the data; a = 0 is no penalty.
    """

    a: float = 0.0
    std: float = 1.0

    def options(self, sample: Sample) -> dict[str, Any]:
        """Return it as the engine's options, in standardised units."""
        if self.a == 0:
            return {}
        return {"penalty": self.a, "penalty_variance": (self.std / sample.unit) ** 2}


@dataclass(frozen=True, eq=False)
class Certificate:
    """Gradient g and Hessian H of the objective in (log-odds of the weights, mean / std, log std), in a few numbers.

    They are measured by the complete-data information I_c = n (π, π, 2π), in which EM's steps are the gradient.

    Attributes
    ----------
    gradient_norm : float
        max |g_i| / √(n I_c,i).
    newton_decrement : float
        √(gᵀ(−H)⁻¹g): the distance to the optimum in units of standard errors.
    smallest_eigenvalue : float
        λ of B' = I_c^(−½) (−H) I_c^(−½) without its null direction; EM's rate of convergence is 1 − λ.
    entropy : float
        Of the responsibilities, in nats: 0 where every value belongs to one component for sure.
    covariance : ndarray, shape (3k, 3k), or None
        Of (log-odds of the weights up to a constant, means, log stds), from the observed information (Louis, 1982);
        None where B' is not positive definite.
    """

    gradient_norm: float
    newton_decrement: float
    smallest_eigenvalue: float
    entropy: float
    covariance: Array | None = field(repr=False)

    @property
    def stationary(self) -> bool:
        """Whether the gradient vanishes."""
        return self.gradient_norm < GRADIENT

    @property
    def maximum(self) -> bool:
        """Whether the conditions of Ending.CONVERGED hold."""
        curved = self.smallest_eigenvalue > CURVATURE
        return self.stationary and self.newton_decrement < DECREMENT and curved


def observations(sample: Sample) -> tuple[Array, Array | None, float, float]:
    """Return the sample as the engine takes it: points, weights, centre and factor."""
    return sample.points, sample.weights, sample.centre, 1.0 / sample.unit


def certify(
    sample: Sample, at: tuple[Array, ...], penalty: Penalty, threads: int
) -> tuple[float, Certificate]:
    """Return the standardised log-likelihood, without penalty, and the certificate at weights, means and stds."""
    weights, _, stds = at
    log_likelihood, counts, g, hessian = _engine.derivatives(
        *observations(sample), *at, threads=threads, **penalty.options(sample)
    )
    n, k = counts.sum(), len(weights)
    # A component that has vanished keeps a little information, so that nothing is divided by zero.
    root = np.sqrt(n * np.maximum(np.concatenate([weights, weights, 2 * weights]), 1e-8))
    curvature = -hessian / np.outer(root, root)
    # (1, …, 1) in the log-odds changes nothing: that direction gets the eigenvalue 1, the others keep theirs.
    null = np.concatenate([root[:k], np.zeros(2 * k)])
    null /= np.linalg.norm(null)
    values, vectors = np.linalg.eigh(curvature + np.outer(null, null))
    along = vectors.T @ (g / root)
    sharp = np.abs(values) > 1e-10
    covariance = None
    if values[0] > CURVATURE:
        shape = np.concatenate([np.ones(k), stds * sample.unit, np.ones(k)]) / root
        inverse = (vectors / values) @ vectors.T - np.outer(null, null)
        covariance = inverse * np.outer(shape, shape)
    return log_likelihood, Certificate(
        gradient_norm=float(np.max(np.abs(g) / root) / np.sqrt(n)),
        newton_decrement=float(np.sqrt(np.sum(along[sharp] ** 2 / np.abs(values[sharp])))),
        smallest_eigenvalue=float(values[0]),
        entropy=_entropy(log_likelihood, counts, g, at, penalty.options(sample)),
        covariance=covariance,
    )


def _entropy(
    log_likelihood: float, counts: Array, g: Array, at: tuple[Array, ...], penalty: dict[str, float]
) -> float:
    """Return −Σ r log r = ℓ − Q, with Q = Σ_j N_j (log π_j − log s_j − ½ log 2π) − ½ Σ r z²."""
    weights, _, stds = at
    pull = (
        2 * penalty["penalty"] * (penalty["penalty_variance"] / stds / stds - 1) if penalty else 0
    )
    squares = g[2 * len(weights) :] + counts - pull
    there = counts > 0
    logs = counts[there] * (np.log(weights[there] / stds[there]) - 0.5 * np.log(2 * np.pi))
    return max(float(log_likelihood - logs.sum() + 0.5 * squares.sum()), 0.0)
