"""`log_likelihood`: that of data which come in batches, under a mixture that is given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gmm1d.mixture import Mixture


def log_likelihood(
    mixture: Mixture, batches: Iterable[Sequence[NDArray[np.float64]]]
) -> tuple[float, float]:
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
    sums, counts = [], []
    for x, *weights in batches:
        w = weights[0] if weights else np.ones(x.size)
        if (w < 0).any():
            raise InputError(f"a weight is negative, {w.min()}: give numbers >= 0")
        sums.append(float(np.sum(w * mixture.logpdf(x))))
        counts.append(float(np.sum(w)))
    total, n = math.fsum(sums), math.fsum(counts)
    if not n > 0:
        raise InputError("no data: there are no values of positive weight")
    if not math.isfinite(total):
        raise InputError("a value is so far from the model that its log-density leaves float64")
    return total, n
