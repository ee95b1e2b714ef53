"""A whole fit of 1e8 values in memory beside np.histogram of the same array, and the memory that it takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figure, seconds
from peers import duration, separated

import gmm1d

N = 100_000_000
BLOCK = 1_000_000
# Name, options, and the most that it may take in units of np.histogram's time.
WAYS: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("fit", {}, 0.3),
    ("fit, exact=True", {"exact": True}, 2.0),
)


def data(n: int) -> np.ndarray:
    """Draw from three Gaussians well apart, block by block."""
    x = np.empty(n)
    for seed, start in enumerate(range(0, n, BLOCK)):
        x[start : start + BLOCK] = separated(min(BLOCK, n - start), seed)
    return x


def memory(n: int) -> float:
    """Return the megabytes by which a fit raises the peak of a fresh process that holds the data."""
    ran = subprocess.run(
        [sys.executable, __file__, str(n)], capture_output=True, text=True, check=True
    )
    return float(ran.stdout)


def _rise(n: int) -> float:
    """Fit in this process; return by how many megabytes that raised its peak."""

    def peak() -> float:
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
        return float(found[1]) / 1024 if found else np.nan

    x = data(n)
    gmm1d.fit(x[:1000], 3)
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins anew
    before = peak()
    gmm1d.fit(x, 3, threads=2)
    return peak() - before


def measure(n: int = N) -> list[Figure]:
    x = data(n)
    histogram = seconds(lambda: np.histogram(x, 2048), 3)
    figures, found = [], []
    for name, options, bound in WAYS:
        run = partial(gmm1d.fit, x, 3, threads=2, **options)
        time = seconds(run, 3)
        found.append(run().log_likelihood)
        figures.append(
            Figure(
                f"n = {n:.0e}, two threads: {name} / np.histogram(x, 2048)",
                time / histogram,
                at_most=bound,
                note=f"{duration(time)} / {duration(histogram)}; {os.cpu_count()} processors",
            )
        )
    gap = abs(found[0] - found[1]) / n
    figures.append(Figure("log-likelihood against exact=True, per value", gap, at_most=1e-9))
    figures.append(Figure("memory of a fit beyond the data, MB", memory(n), at_most=64))
    return figures


if __name__ == "__main__":
    print(_rise(int(sys.argv[1])))
