"""Climbs as the engine makes them, from one start or from a search, with their certificates and their endings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gmm1d import _engine, frames
from gmm1d.certificate import CURVATURE, Certificate
from gmm1d.constraints import FREE, Constraints
from gmm1d.errors import Ending
from gmm1d.frozen import Frozen, guarded, made
from gmm1d.starts import Start, check_reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

FEW_STEPS = 200  # of a climb that only looks where S would lead
METHODS = ("newton", "em", "squarem")
KINDS = {"o": "optimum", "s": "start", "e": "em", "q": "squarem", "n": "newton"}


class Rules(NamedTuple):
    """How to climb, and when to stop: `tol` on the change of the objective (None: at a certified optimum)."""

    method: str
    tol: float | None
    max_iter: int
    threads: int
    constraints: Constraints = FREE

    def under(self, constraints: Constraints) -> Rules:
        """Return these rules under other constraints."""
        return self if constraints is self.constraints else self._replace(constraints=constraints)

    def options(self) -> tuple[str, float, int]:
        """Return method, tol and max_iter as the engine takes them."""
        return self.method, -1.0 if self.tol is None else self.tol, self.max_iter


@dataclass(frozen=True, eq=False, repr=False)
class Trace(Frozen):
    """The points of one climb of one objective, the start first and the result last.

    Components are in the start's order.
    """

    letters: str  # of KINDS: one for each point
    rows: Array  # (T + 1, 1 + 3k): what is known of it

    def __len__(self) -> int:
        """Count the T + 1 points."""
        return len(self.letters)

    @property
    def kind(self) -> tuple[str, ...]:
        """The kind of step that led to each point: "em", "newton" or "squarem".

        That of the first is "start", or "optimum" if the climb goes on from that of data which were compressed more.
        """
        return tuple(KINDS[letter] for letter in self.letters)

    @property
    def log_likelihood(self) -> Array:
        """The objective (T + 1,): the log-likelihood, or S where the fit is PENALISED."""
        return self.rows[:, 0]

    @property
    def weights(self) -> Array:
        """Weights (T + 1, k)."""
        return self._parameters(0)

    @property
    def means(self) -> Array:
        """Means (T + 1, k)."""
        return self._parameters(1)

    @property
    def stds(self) -> Array:
        """Standard deviations (T + 1, k)."""
        return self._parameters(2)

    to_frame = frames.of_trace

    def _parameters(self, which: int) -> Array:
        k = self.rows.shape[1] // 3
        return self.rows[:, 1 + which * k : 1 + (which + 1) * k]


class Climb(NamedTuple):
    """Where a climb led: `certificate` is None if it was interrupted, `collapsed` the component that became a spike.

    Of a search, `reason` says why no maximum of the likelihood is near the optimum of S ("support" or "ties"), `held` are
    the components concerned, and `objective` is S, by which searches of the same sample are compared.
    """

    status: Ending
    log_likelihood: float
    trace: Trace
    certificate: Certificate | None
    collapsed: int | None
    reason: str | None = None
    held: tuple[int, ...] = ()
    objective: float = 0.0

    @property
    def end(self) -> Start:
        """The last point."""
        row = self.trace.rows[-1]
        k = row.size // 3
        return Start(row[1 : 1 + k], row[1 + k : 1 + 2 * k], row[1 + 2 * k :])


def climb(sample: Sample, start: Start, rules: Rules, *, penalised: bool = False) -> Climb:
    """Climb from `start` on the nodes of the sample, on S if `penalised`, and certify where it ended."""
    method, tol, max_iter = rules.options()
    found = _engine.climb(
        *sample.nodes,
        0.0,
        1.0,
        *start.standardised(sample),
        method=method,
        tol=tol,
        max_iter=max_iter,
        penalised=penalised,
        equal_stds=rules.constraints.equal_variances,
        fixed=rules.constraints.fixed,
        units=sample.units,
        threads=rules.threads,
    )
    ended = _climb(rules, found, "support" if penalised else None)
    return ended._replace(objective=float(ended.trace.log_likelihood[-1]))


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
        weight_scale=sample.scale,
        equal_stds=rules.constraints.equal_variances,
        fixed=rules.constraints.fixed,
        units=sample.units,
        threads=rules.threads,
    )
    return _climb(rules, found)


class Search:
    """The deterministic search for the best mixture; what it learns for one k serves the larger ones."""

    def __init__(self, sample: Sample, rules: Rules) -> None:
        self._sample, self._rules = sample, rules
        self._engine = _engine.Search(
            *sample.nodes,
            rules.constraints.equal_variances,
            sample.sketch is not None and sample.sketch.n_leaves > 0,
            sample.units,
            rules.threads,
        )

    def look(self, k: int) -> None:
        """Search on the path to k components, as `best` does first."""
        self._engine.look(k)

    def best(
        self,
        k: int,
        starts: Sequence[tuple[Array, Array, Array]] = (),
        rules: Rules | None = None,
    ) -> Climb:
        """Return the best climb to a mixture of k components, looking from more standardised starts, too.

        `rules` may fix other parameters than those of the search.
        """
        rules = self._rules if rules is None else rules
        fixed = rules.constraints.fixed
        values = self._fixed_values(k, rules) if fixed else ([], [], [])
        found, reason, held, objective = self._engine.best(
            k,
            [tuple(each.tolist() for each in start) for start in starts],
            fixed,
            values,
            *rules.options(),
        )
        return _climb(rules, found, reason, tuple(held), objective)

    def _fixed_values(self, k: int, rules: Rules) -> tuple[list[float], list[float], list[float]]:
        """Return what is fixed in the sample's units, with any values where free."""
        held = [[1 / k], [self._sample.centre], [self._sample.std]]
        start = Start(*rules.constraints.kept(np.broadcast_to(held, (3, k))))
        check_reach(start, self._sample, "fixed values")
        weights, means, stds = start.standardised(self._sample)
        return weights.tolist(), means.tolist(), stds.tolist()


def _climb(
    rules: Rules,
    found: Any,
    reason: str | None = None,
    held: tuple[int, ...] = (),
    objective: float = 0.0,
) -> Climb:
    """Name what the engine returned; what is fixed has every bit of what was asked for."""
    stop, collapsed, letters, rows, measures, covariance = found
    if rules.constraints.values is not None:
        parts = rows[:, 1:].reshape(-1, 3, rows.shape[1] // 3)
        parts[:] = rules.constraints.kept(parts.swapaxes(0, 1)).swapaxes(0, 1)
        rows[:, 1:] = parts.reshape(len(rows), -1)
    rows.setflags(write=False)
    certificate, log_likelihood = None, float(rows[-1, 0])
    if measures is not None:
        log_likelihood, norm, decrement, eigenvalue, entropy = measures
        certificate = made(
            Certificate,
            gradient_norm=norm,
            newton_decrement=decrement,
            smallest_eigenvalue=eigenvalue,
            entropy=entropy,
            covariance=guarded(covariance),
        )
    return Climb(
        _ending(stop, certificate, reason),
        log_likelihood,
        Trace(letters, rows),
        certificate,
        collapsed if stop == "collapsed" else None,
        reason,
        held,
        objective,
    )


def _ending(stop: str, certificate: Certificate | None, reason: str | None) -> Ending:
    if certificate is None:
        return Ending.INTERRUPTED
    if stop == "tolerance":  # which does not hide ties
        return Ending.PENALISED if reason == "ties" else Ending.TOLERANCE
    if reason is not None and certificate.stationary:
        return Ending.PENALISED
    if certificate.maximum:
        return Ending.CONVERGED
    if certificate.stationary and certificate.smallest_eigenvalue <= CURVATURE:
        return Ending.FLAT
    return Ending.MAX_ITER
