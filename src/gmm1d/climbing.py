"""One climb from one start: the engine's loop, its certificate and its ending."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import _engine
from gmm1d.certificate import (
    CURVATURE,
    DECREMENT,
    GRADIENT,
    Certificate,
    Penalty,
    certify,
    observations,
)
from gmm1d.errors import Ending
from gmm1d.starts import Start

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

# Without tol, climb until runs that stop at different steps agree to a fifth of promise 1 (equivariance).
AGREEMENT, AGREEMENT_CURVATURE, SMALLEST_GRADIENT = 2e-10, 1e-3, 1e-14


@dataclass(frozen=True)
class Rules:
    """When to stop: `tol` on the change of the objective (None: at a certified optimum), and after `max_iter` steps."""

    tol: float | None
    max_iter: int
    threads: int


@dataclass(frozen=True, eq=False)
class Trace:
    """The points of one climb of one objective, the start first and the result last.

    Attributes
    ----------
    kind : tuple of str, length T + 1
        "start", then the kind of step that led to the point.
    log_likelihood : ndarray, shape (T + 1,)
        The objective: the log-likelihood, or the penalised one if the fit's notes say that a component wants to
        collapse.
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
    target = GRADIENT if rules.tol is None else None
    rows = np.empty((0, 1 + 3 * start.k))
    while True:
        stop, collapsed, more = _engine.em(
            *observations(sample),
            *here,
            tol=-1.0 if rules.tol is None else rules.tol,
            gradient_tol=-1.0 if target is None else target,
            max_iter=rules.max_iter - max(len(rows) - 1, 0),
            threads=rules.threads,
            **penalty.options(sample),
        )
        rows = np.concatenate([rows[:-1], more])
        here = tuple(np.split(rows[-1, 1:], 3))
        log_likelihood, certificate = float(rows[-1, 0]), None
        if stop != "interrupted":
            with contextlib.suppress(KeyboardInterrupt):
                log_likelihood, certificate = certify(sample, here, penalty, rules.threads)
        if certificate is None or target is None or stop != "gradient":
            break
        target = _sharper(target, sample, here[0], certificate)
        if target is None:
            break
    jacobian = sample.n * np.log(sample.unit)
    trace = _trace(sample, rows, jacobian)
    return Climb(
        status=_ending(stop, certificate, penalised=penalty.a > 0),
        end=Start(trace.weights[-1], trace.means[-1], trace.stds[-1]),
        log_likelihood=float(log_likelihood - jacobian),
        trace=trace,
        certificate=certificate,
        collapsed=collapsed if stop == "collapsed" else None,
    )


def _sharper(
    target: float, sample: Sample, weights: Array, certificate: Certificate
) -> float | None:
    """Return the gradient to go on to, or None where the parameters are known to AGREEMENT or flat.

    An error of δ standard errors in a component is one of at most δ / √(n π λ) of its standard deviations.
    """
    curvature = certificate.smallest_eigenvalue
    if curvature <= CURVATURE or target == SMALLEST_GRADIENT:
        return None
    slack = max(1.0, AGREEMENT_CURVATURE / curvature)
    sharpness = sample.n * max(float(weights.min()), AGREEMENT_CURVATURE) * curvature
    enough = min(AGREEMENT * slack * math.sqrt(sharpness), DECREMENT / 100)
    excess = certificate.newton_decrement / enough
    if excess <= 1:
        return None
    return max(0.5 * min(target, certificate.gradient_norm) / excess, SMALLEST_GRADIENT)


def _ending(stop: str, certificate: Certificate | None, *, penalised: bool) -> Ending:
    if certificate is None:
        return Ending.INTERRUPTED
    if penalised and (stop == "tolerance" or certificate.stationary):
        return Ending.PENALISED
    if stop == "tolerance":
        return Ending.TOLERANCE
    if certificate.maximum:
        return Ending.CONVERGED
    if certificate.stationary and certificate.smallest_eigenvalue <= CURVATURE:
        return Ending.FLAT
    return Ending.MAX_ITER


def _trace(sample: Sample, rows: Array, jacobian: float) -> Trace:
    weights, means, stds = np.split(rows[:, 1:], 3, axis=1)
    return Trace(
        kind=("start", *["em"] * (len(rows) - 1)),
        log_likelihood=rows[:, 0] - jacobian,
        weights=weights,
        means=sample.centre + sample.unit * means,
        stds=sample.unit * stds,
    )


def _standardise(sample: Sample, start: Start) -> tuple[Array, ...]:
    return start.weights, (start.means - sample.centre) / sample.unit, start.stds / sample.unit
