"""How long a running climb takes to answer Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings

import numpy as np
from figures import Figure

import gmm1d


def measure() -> list[Figure]:
    x = np.random.default_rng(0).normal(size=20_000_000)
    sample = gmm1d.Sample.of(x)
    asked: list[float] = []

    def interrupt() -> None:
        asked.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    worst = 0.0
    for delay in (0.5, 1.3, 2.1):
        threading.Timer(delay, interrupt).start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = gmm1d.fit(sample, 12, start="quantile")
        worst = max(worst, time.perf_counter() - asked[-1])
        assert fit.status is gmm1d.Ending.INTERRUPTED
    return [Figure("from SIGINT to the returned fit, n = 2e7, k = 12, seconds", worst, at_most=0.2)]
