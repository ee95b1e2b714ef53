"""What the benchmarks ask of every fit: is it regular, did it end as promised, did its climb never fall."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from figures import Figure

import gmm1d
from gmm1d import Ending
from gmm1d.regularity import is_regular

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WITHIN = 0.01  # log-likelihoods no further below the best have reached it


@dataclass(frozen=True)
class Judged:
    """One fit of one case, beside the best regular log-likelihood known (None: there is none)."""

    case: str
    fit: gmm1d.Fit
    regular: bool
    best: float | None

    @property
    def optimum(self) -> bool:
        """Whether it is a regular optimum; a penalised fit is none, however regular it looks."""
        return self.regular and self.fit.status in (Ending.CONVERGED, Ending.FLAT)

    @property
    def level(self) -> float:
        """The log-likelihood of a regular optimum: nothing else can be better."""
        return self.fit.log_likelihood if self.optimum else -np.inf

    @property
    def reached(self) -> bool:
        return self.best is not None and self.level >= self.best - WITHIN

    @property
    def ended(self) -> bool:
        """Whether it is CONVERGED, or FLAT, or PENALISED with what wants to collapse."""
        status = self.fit.status
        return status in (Ending.CONVERGED, Ending.FLAT) or (
            status is Ending.PENALISED and bool(self.fit.notes)
        )

    @property
    def monotone(self) -> bool:
        assert self.fit.trace is not None  # only a fit read from a file has none
        levels = np.asarray(self.fit.trace.log_likelihood)
        return bool(np.all(np.diff(levels) >= -1e-12 * (np.abs(levels[1:]) + self.fit.n)))

    def missing(self) -> str:
        """Say how far below the best it is."""
        if self.best is None or self.reached:
            return ""
        if self.optimum:
            return f"{self.case} by {self.best - self.level:.2g}"
        return f"{self.case} {self.fit.status.name if self.regular else 'irregular'}"


def judge(case: str, x: NDArray[np.float64], k: int, best: float | None, **options: Any) -> Judged:
    """Fit quietly and judge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gmm1d.errors.FitWarning)
        fit = gmm1d.fit(x, k, **options)
    return Judged(case, fit, is_regular(fit.mixture, gmm1d.Sample.of(x)), best)


def misses(judged: Sequence[Judged], most: int = 4) -> str:
    """Name the first cases that were not reached."""
    found = [text for one in judged if (text := one.missing())]
    more = f", and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + more


def endings(what: str, judged: Sequence[Judged]) -> list[Figure]:
    """Return the shares of the fits that ended as promised and whose climbs never fell: both must be all."""
    counts = ", ".join(
        f"{count} {ending.name}"
        for ending in Ending
        if (count := sum(one.fit.status is ending for one in judged))
    )
    fell = [one.case for one in judged if not one.monotone]
    return [
        Figure(
            f"{what}: endings with a reason, share",
            float(np.mean([one.ended for one in judged])),
            at_least=1,
            note=counts,
        ),
        Figure(
            f"{what}: climbs that never fall, share",
            1 - len(fell) / len(judged),
            at_least=1,
            note="; ".join(fell[:4]),
        ),
    ]
