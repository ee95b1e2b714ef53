"""Climbs as the engine makes them, from one start or from a search, with their certificates and their endings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import _engine
from gmm1d.certificate import CURVATURE, Certificate
from gmm1d.constraints import Constraints
from gmm1d.errors import Ending
from gmm1d.starts import Start, check_reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

METHODS = ("newton", "em", "squarem")
KINDS = {"s": "start", "e": "em", "q": "squarem", "n": "newton"}


@dataclass(frozen=True)
class Rules:
    """How to climb, and when to stop: `tol` on the change of the objective (None: at a certified optimum)."""

    method: str
    tol: float | None
    max_iter: int
    threads: int
    constraints: Constraints = field(default_factory=Constraints)

    def options(self) -> dict[str, Any]:
        """Return what the engine calls them."""
        return {
            "method": self.method,
            "tol": -1.0 if self.tol is None else self.tol,
            "max_iter": self.max_iter,
        }


@dataclass(frozen=True, eq=False)
class Trace:
    """The points of one climb of one objective, the start first and the result last.

    Attributes
    ----------
    kind : tuple of str, length T + 1
        "start", or "optimum" if the climb goes on from that of data which were compressed more; then the kind of step
        that led to the point: "em", "newton" or "squarem".
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
    """Where a climb led: `certificate` is None if it was interrupted, `collapsed` the component that became a spike.

    Of a `penalised` one, `spikes` are what climbs without a penalty ran into. `regular` is True where every component
    is known to be (see `gmm1d.regularity`).
    """

    status: Ending
    end: Start
    log_likelihood: float
    trace: Trace
    certificate: Certificate | None
    collapsed: int | None
    penalised: bool = False
    regular: bool = False
    spikes: tuple[Start, ...] = ()


def climb(sample: Sample, start: Start, rules: Rules) -> Climb:
    """Climb from `start` on the nodes of the sample, and certify where it ended."""
    found = _engine.climb(
        *sample.nodes,
        0.0,
        1.0,
        *start.standardised(sample),
        **rules.options(),
        equal_stds=rules.constraints.equal_variances,
        fixed=rules.constraints.fixed,
        threads=rules.threads,
    )
    return _climb(sample, rules, found)


def exact(sample: Sample, start: Start, rules: Rules) -> Climb:
    """Go from an optimum of the nodes to that of the points themselves, by passes over them."""
    assert sample.points is not None
    found = _engine.exact(
        sample.points,
        sample.weights,
        sample.centre,
        1.0 / sample.unit,
        *sample.nodes,
        *start.standardised(sample),
        equal_stds=rules.constraints.equal_variances,
        fixed=rules.constraints.fixed,
        threads=rules.threads,
    )
    return _climb(sample, rules, found)


class Search:
    """The deterministic search for the best mixture; what it learns for one k serves the larger ones."""

    def __init__(self, sample: Sample, rules: Rules) -> None:
        self._sample, self._rules = sample, rules
        self._engine = _engine.Search(
            *sample.nodes, rules.constraints.equal_variances, rules.threads
        )

    def best(self, k: int, starts: Sequence[tuple[Array, Array, Array]] = ()) -> Climb:
        """Return the best climb to a mixture of k components, looking from more standardised starts, too."""
        fixed = self._rules.constraints.fixed
        values = self._fixed_values(k) if fixed else ([], [], [])
        found, penalised, spikes, regular = self._engine.best(
            k,
            starts=[tuple(each.tolist() for each in start) for start in starts],
            fixed=fixed,
            values=values,
            **self._rules.options(),
        )
        raised = tuple(_raised(self._sample, *each) for each in spikes)
        return _climb(self._sample, self._rules, found, penalised, raised, regular)

    def _fixed_values(self, k: int) -> tuple[list[float], list[float], list[float]]:
        """Return what is fixed in the sample's units, with any values where free."""
        held = [[1 / k], [self._sample.centre], [self._sample.std]]
        start = Start(*self._rules.constraints.kept(np.broadcast_to(held, (3, k))))
        check_reach(start, self._sample, "fixed values")
        weights, means, stds = start.standardised(self._sample)
        return weights.tolist(), means.tolist(), stds.tolist()


def _climb(
    sample: Sample,
    rules: Rules,
    found: Any,
    penalised: bool = False,
    spikes: tuple[Start, ...] = (),
    regular: bool = False,
) -> Climb:
    """Turn what the engine returned into the units of the data; what is fixed has every bit of what was asked for."""
    stop, collapsed, steps, rows, measures, covariance = found
    jacobian = sample.n * float(np.log(sample.unit))
    k = rows.shape[1] // 3
    weights, means, stds = rows[:, 1 : 1 + k], rows[:, 1 + k : 1 + 2 * k], rows[:, 1 + 2 * k :]
    means, stds = sample.centre + sample.unit * means, sample.unit * stds
    if rules.constraints.values is not None:
        weights, means, stds = rules.constraints.kept(np.array([weights, means, stds]))
    kinds = tuple(KINDS[step] for step in steps)
    trace = Trace(kinds, rows[:, 0] - jacobian, weights, means, stds)
    certificate, log_likelihood = None, float(trace.log_likelihood[-1])
    if measures is not None:
        log_likelihood, norm, decrement, eigenvalue, entropy = measures
        log_likelihood -= jacobian
        if covariance is not None:
            covariance[k : 2 * k] *= sample.unit
            covariance[:, k : 2 * k] *= sample.unit
        certificate = Certificate(norm, decrement, eigenvalue, entropy, covariance)
    return Climb(
        status=_ending(stop, certificate, penalised=penalised),
        end=Start(trace.weights[-1], trace.means[-1], trace.stds[-1]),
        log_likelihood=log_likelihood,
        trace=trace,
        certificate=certificate,
        collapsed=collapsed if stop == "collapsed" else None,
        penalised=penalised,
        regular=regular,
        spikes=spikes,
    )


def _raised(sample: Sample, weights: list[float], means: list[float], stds: list[float]) -> Start:
    return Start(
        np.array(weights),
        sample.centre + sample.unit * np.array(means),
        sample.unit * np.array(stds),
    )


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
