"""Spreads work that is counted, not timed, over the processors."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from os import cpu_count
from typing import TYPE_CHECKING, TypeVar

import gmm1d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

In = TypeVar("In")
Out = TypeVar("Out")


def spread(
    work: Callable[[In], Out], items: Sequence[In], processes: int | None = None
) -> list[Out]:
    """Return `work` of every item, in order; `work` is a module's function, and warns nobody of a fit's ending."""
    count = min(processes or cpu_count() or 1, len(items))
    if count <= 1:
        _hush()
        return [work(item) for item in items]
    # Fresh processes: forks of one with threads may hang.
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_hush) as pool:
        return list(pool.map(work, items, chunksize=max(1, len(items) // (16 * count))))


def _hush() -> None:
    warnings.simplefilter("ignore", gmm1d.errors.FitWarning)
