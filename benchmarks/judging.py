"""What the benchmarks ask of every fit: did it end as promised, and did its climb never fall."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from figures import Figure

import gmm1d
from gmm1d import Ending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

REASONS = ("support", "ties")  # why a fit is PENALISED


@dataclass(frozen=True)
class Judged:
    """One fit of one case, beside the log-likelihood that others found."""

    case: str
    fit: gmm1d.Fit
    best: float

    @property
    def above(self) -> float:
        """How far its log-likelihood is above the others', or below."""
        return self.fit.log_likelihood - self.best

    @property
    def ended(self) -> bool:
        """Whether it is CONVERGED, or FLAT, or PENALISED with a reason and a note."""
        if self.fit.status is Ending.PENALISED:
            return self.fit.reason in REASONS and bool(self.fit.notes)
        return self.fit.status in (Ending.CONVERGED, Ending.FLAT)

    @property
    def monotone(self) -> bool:
        assert self.fit.trace is not None  # only a fit read from a file has none
        levels = np.asarray(self.fit.trace.log_likelihood)
        return bool(np.all(np.diff(levels) >= -1e-12 * (np.abs(levels[1:]) + self.fit.n)))


def judge(case: str, x: NDArray[np.float64], k: int, best: float, **options: Any) -> Judged:
    """Fit quietly and judge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gmm1d.errors.FitWarning)
        fit = gmm1d.fit(x, k, **options)
    return Judged(case, fit, best)


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
