"""`log_likelihood`: that of data which come in batches, under a mixture that is given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gmm1d import _engine
from gmm1d.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gmm1d.columns import Column
    from gmm1d.mixture import Mixture


def log_likelihood(mixture: Mixture, batches: Iterable[Sequence[Column]]) -> tuple[float, float]:
    """Return sum_i w_i log p(x_i), in nats, and sum_i w_i.

    Parameters
    ----------
    mixture : Mixture
    batches : iterable of (x,) or (x, w)
        Values (m,) and perhaps how often each counts.

    Raises
    ------
    InputError
        If there are no values, a weight is negative, or a log-density leaves float64.
    """
    return added(part(mixture, *batch) for batch in batches)


def part(mixture: Mixture, x: Column, w: Column | None = None) -> tuple[float, float]:
    """Return the two sums over one batch, perhaps of no values; only a negative weight is refused.

    They come from the engine's pass over the values, which needs no array beside them.
    """
    if w is not None and (w < 0).any():
        raise InputError(f"a weight is negative, {w.min()}: give numbers >= 0")
    n = float(x.size if w is None else w.sum())
    if not n > 0:
        return 0.0, 0.0
    there = mixture.weights > 0
    centre, unit = mixture.median(), 2.0 ** round(math.log2(mixture.std()))
    means, stds = (mixture.means[there] - centre) / unit, mixture.stds[there] / unit
    sums = _engine.em_sums(x, w, centre, 1 / unit, mixture.weights[there], means, stds)
    return float(sums[0]) - n * math.log(unit), n


def added(parts: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Return the totals of what `part` returned, with the errors of `log_likelihood`."""
    sums, counts = zip(*parts, strict=True) if (parts := list(parts)) else ((), ())
    total, n = math.fsum(sums), math.fsum(counts)
    if not n > 0:
        raise InputError("no data: there are no values of positive weight")
    if not math.isfinite(total):
        raise InputError("a value is so far from the model that its log-density leaves float64")
    return total, n
