"""How long gmm1d takes to answer Ctrl-C: while it reads, searches, draws random starts, or goes over the data themselves."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from figures import Figure

import gmm1d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

SOON, LATE = (0.03, 0.1, 0.17), (0.4, 0.6, 0.8)  # seconds after which the signal comes


def measure() -> list[Figure]:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by background jobs
    rng = np.random.default_rng(0)
    small, large = _bumps(20_000, rng), np.resize(_bumps(1_000_000, rng), 100_000_000)
    columns = rng.normal(size=(200, 20_000))
    fit, one = gmm1d.fit, partial(gmm1d.fit, large, threads=1)
    ways: tuple[tuple[str, Callable[[], object], Sequence[float]], ...] = (
        ("search, n = 20 000, k = 12", partial(fit, small, 12), SOON),
        ("random starts, n = 20 000, k = 12", partial(fit, small, 12, n_random=9999, rng=1), SOON),
        (
            "search with fixed weights, n = 20 000, k = 6",
            partial(fit, small, 6, fixed={"weights": [1 / 6] * 6}),
            SOON,
        ),
        ("20 000 columns × 200, k = 2", partial(gmm1d.fit_many, columns, 2, axis=0), SOON),
        ("reading, n = 1e8, one thread", partial(one, 3), SOON),
        ("exact=True, n = 1e8, k = 6, one thread", partial(one, 6, exact=True), LATE),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gmm1d.errors.FitWarning)
        return [_figure(*way) for way in ways]


def _bumps(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(3.0 * rng.integers(6, size=n), 1.0)


def _figure(name: str, work: Callable[[], object], delays: Sequence[float]) -> Figure:
    answers = [_answer(work, delay) for delay in delays]
    said = sorted({how for _, how in answers})
    worst = max(seconds for seconds, _ in answers)
    note = f"worst of {len(answers)}: {', '.join(said)}"
    return Figure(f"from SIGINT to the answer: {name}, seconds", worst, at_most=0.2, note=note)


def _answer(work: Callable[[], object], delay: float) -> tuple[float, str]:
    """Start the work, press Ctrl-C after a while, and return the seconds until it answers, and how.

    The signal is sent by a thread that also waits for Python's handler, so that one that comes too late hits nothing else.
    """
    asked: list[float] = []

    def press() -> None:
        asked.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(delay, press)
    how = ""
    try:
        try:
            timer.start()
            found = work()
            end = time.perf_counter()
            how = getattr(getattr(found, "status", None), "name", "done")
            timer.join()
            time.sleep(0.01)  # where the signal is raised if it came too late
        except KeyboardInterrupt:
            end = end if how else time.perf_counter()
    finally:
        timer.cancel()
    return end - asked[0], how or "KeyboardInterrupt"
