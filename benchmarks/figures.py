"""What a benchmark reports: a number, the bound that it must keep, and what was measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import isnan
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Figure:
    """One measured number; `at_least` and `at_most` bound what it must be; without either it is only told."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def kept(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def bound(self) -> str:
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:g} … {self.at_most:g}"
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    def row(self) -> list[str]:
        verdict = ("kept" if self.kept else "MISSED") if self.bound else ""
        value = "" if isnan(self.value) and not self.bound else f"{self.value:.3g}"
        return [self.name, value, self.bound, verdict, self.note]


def seconds(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the median wall time of `work`."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return median(times)
