"""One climb from one start: the engine's loop, its certificate and its ending."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import _engine
from gmm1d.errors import Ending
from gmm1d.starts import Start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

# The conditions of Ending.CONVERGED.
GRADIENT, DECREMENT, CURVATURE = 1e-8, 1e-6, 1e-6
# Without tol, climb until runs that stop at different steps agree to a fifth of promise 1 (equivariance).
AGREEMENT, AGREEMENT_CURVATURE, SMALLEST_GRADIENT = 2e-10, 1e-3, 1e-14


@dataclass(frozen=True)
class Rules:
    """When to stop: `tol` on the change of the objective (None: at a certified optimum), and after `max_iter` steps."""

    tol: float | None
    max_iter: int
    threads: int


@dataclass(frozen=True)
class Penalty:
    """The weak penalty -a Σ (v0/σ² + log(σ²/v0) - 1) that bounds the likelihood (Chen, Tan and Zhang, 2008).

    `std` is √v0 in the units of the data; a = 0 is no penalty.
    """

    a: float = 0.0
    std: float = 1.0


@dataclass(frozen=True, eq=False)
class Trace:
    """The points of one climb of one objective, the start first and the result last.

    Attributes
    ----------
    kind : tuple of str, length T + 1
        "start", then the kind of step that led to the point.
    log_likelihood : ndarray, shape (T + 1,)
        The objective: the log-likelihood, or the penalised one where the ending is PENALISED.
    weights, means, stds : ndarray, shape (T + 1, k)
        In the start's order.
    """

    kind: tuple[str, ...]
    log_likelihood: Array
    weights: Array
    means: Array
    stds: Array

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is known about a point from its gradient and Hessian (design: B' is -H in units of I_c).

    Attributes
    ----------
    gradient_norm : float
        max |g_i| / √(n I_c,i), with g in (log-odds, mean / std, log std) and I_c = n (π, π, 2π).
    newton_decrement : float
        √(gᵀ(−H)⁻¹g): the distance to the optimum in units of standard errors.
    smallest_eigenvalue : float
        λ_min of B'; EM's rate of convergence is 1 − λ_min.
    log_likelihood, entropy : float
        Without penalty, in standardised units; the entropy of the responsibilities, in nats.
    covariance : ndarray, shape (3k, 3k), or None
        Of (log-odds of the weights, means, log stds) in the start's order; None where B' is not positive definite.
    """

    gradient_norm: float
    newton_decrement: float
    smallest_eigenvalue: float
    log_likelihood: float
    entropy: float
    covariance: Array | None = field(repr=False)

    @property
    def stationary(self) -> bool:
        """Whether the gradient vanishes."""
        return self.gradient_norm < GRADIENT

    @property
    def maximum(self) -> bool:
        """Whether the conditions of Ending.CONVERGED hold."""
        return (
            self.stationary
            and self.newton_decrement < DECREMENT
            and self.smallest_eigenvalue > CURVATURE
        )


@dataclass(frozen=True, eq=False)
class Climb:
    """Where a climb led: `certificate` is None if it was interrupted, `collapsed` the component that became a spike."""

    status: Ending
    end: Start
    log_likelihood: float
    trace: Trace
    certificate: Certificate | None
    collapsed: int | None


def climb(sample: Sample, start: Start, rules: Rules, penalty: Penalty | None = None) -> Climb:
    """Climb by EM from `start`, and certify where it ended."""
    penalty = penalty or Penalty()
    here = _standardise(sample, start)
    target = GRADIENT if rules.tol is None else -1.0
    rows = np.empty((0, 1 + 3 * start.k))
    while True:
        stop, collapsed, more = _engine.em(
            *_data(sample),
            *here,
            tol=-1.0 if rules.tol is None else rules.tol,
            gradient_tol=target,
            floor=_floor(sample),
            max_iter=rules.max_iter - max(len(rows) - 1, 0),
            threads=rules.threads,
            **_penalty(sample, penalty),
        )
        rows = np.concatenate([rows[:-1], more])
        here = tuple(np.split(rows[-1, 1:], 3))
        certificate = None
        if stop == "interrupted":
            break
        try:
            certificate = certify(sample, here, penalty, rules.threads)
        except KeyboardInterrupt:
            break
        if stop != "gradient" or target < 0 or certificate.smallest_eigenvalue <= CURVATURE:
            break
        excess = certificate.newton_decrement / _enough(sample, here[0], certificate)
        if excess <= 1 or target == SMALLEST_GRADIENT:
            break
        target = max(0.5 * min(target, certificate.gradient_norm) / excess, SMALLEST_GRADIENT)
    return _conclude(sample, rows, stop, collapsed, certificate, penalised=penalty.a > 0)


def _enough(sample: Sample, weights: Array, certificate: Certificate) -> float:
    """Return the Newton decrement at which the parameters are known to AGREEMENT, in units of the stds.

    An error of δ standard errors in a component is one of at most δ / √(n π λ) of its standard deviations.
    """
    slack = max(1.0, AGREEMENT_CURVATURE / certificate.smallest_eigenvalue)
    sharpness = sample.n * max(weights.min(), AGREEMENT_CURVATURE) * certificate.smallest_eigenvalue
    return min(float(AGREEMENT * slack * np.sqrt(sharpness)), DECREMENT / 100)


def certify(sample: Sample, at: tuple[Array, ...], penalty: Penalty, threads: int) -> Certificate:
    """Take gradient and Hessian at standardised weights, means and stds."""
    weights, _, stds = at
    log_likelihood, counts, g, hessian = _engine.derivatives(
        *_data(sample), *at, threads=threads, **_penalty(sample, penalty)
    )
    n, k = counts.sum(), len(weights)
    metric = n * np.concatenate([weights, weights, 2 * weights])
    root = np.sqrt(np.maximum(metric, 1e-8 * n))
    curvature = -hessian / np.outer(root, root)
    # (1, …, 1) in the log-odds changes nothing: give that direction the eigenvalue 1, the others keep theirs.
    null = np.concatenate([root[:k], np.zeros(2 * k)])
    curvature += np.outer(null, null) / (null @ null)
    values, vectors = np.linalg.eigh(curvature)
    along = vectors.T @ (g / root)
    flat = np.abs(values) < 1e-10
    decrement = np.sqrt(np.sum(along[~flat] ** 2 / np.abs(values[~flat])))
    covariance = None
    if values[0] > CURVATURE:
        shape = np.concatenate([np.ones(k), stds * sample.unit, np.ones(k)]) / root
        inverse = (vectors / values) @ vectors.T - np.outer(null, null) / (null @ null)
        covariance = inverse * np.outer(shape, shape)
    # Σ r log r = Σ r (log π − log s − z²/2 − ½ log 2π) − ℓ, from the sums that the gradient holds.
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = 2 * penalty.a * ((penalty.std / sample.unit / stds) ** 2 - 1) if penalty.a else 0.0
        squares = g[2 * k :] + counts - pull
        logs = np.where(
            counts > 0, counts * (np.log(weights / stds) - 0.5 * np.log(2 * np.pi)), 0.0
        )
    return Certificate(
        gradient_norm=float(np.max(np.abs(g) / root) / np.sqrt(n)),
        newton_decrement=float(decrement),
        smallest_eigenvalue=float(values[0]),
        log_likelihood=log_likelihood,
        entropy=max(float(log_likelihood - (logs.sum() - 0.5 * squares.sum())), 0.0),
        covariance=covariance,
    )


def _conclude(
    sample: Sample,
    rows: Array,
    stop: str,
    collapsed: int,
    certificate: Certificate | None,
    *,
    penalised: bool,
) -> Climb:
    if certificate is None:
        status = Ending.INTERRUPTED
    elif stop == "tolerance":
        status = Ending.TOLERANCE
    elif certificate.maximum:
        status = Ending.PENALISED if penalised else Ending.CONVERGED
    elif certificate.stationary and certificate.smallest_eigenvalue <= CURVATURE:
        status = Ending.FLAT
    else:
        status = Ending.MAX_ITER
    jacobian = sample.n * np.log(sample.unit)
    weights, means, stds = np.split(rows[:, 1:], 3, axis=1)
    trace = Trace(
        kind=("start", *["em"] * (len(rows) - 1)),
        log_likelihood=rows[:, 0] - jacobian,
        weights=weights,
        means=sample.centre + sample.unit * means,
        stds=sample.unit * stds,
    )
    ended = rows[-1, 0] if certificate is None else certificate.log_likelihood
    return Climb(
        status=status,
        end=Start(trace.weights[-1], trace.means[-1], trace.stds[-1]),
        log_likelihood=float(ended - jacobian),
        trace=trace,
        certificate=certificate,
        collapsed=collapsed if stop == "collapsed" else None,
    )


def _data(sample: Sample) -> tuple[Array, Array | None, float, float]:
    return sample.points, sample.weights, sample.centre, 1.0 / sample.unit


def _penalty(sample: Sample, penalty: Penalty) -> dict[str, float]:
    if penalty.a == 0:
        return {}
    return {"penalty": penalty.a, "penalty_variance": (penalty.std / sample.unit) ** 2}


def _standardise(sample: Sample, start: Start) -> tuple[Array, ...]:
    return start.weights, (start.means - sample.centre) / sample.unit, start.stds / sample.unit


def _floor(sample: Sample) -> float:
    """Return the std below which a component sits on a single value: 4 units in the last place of the largest."""
    return float(4 * np.spacing(max(abs(sample.low), abs(sample.high))) / sample.unit)
