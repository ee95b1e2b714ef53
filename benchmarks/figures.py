"""What a benchmark reports: a number, the bound that it must keep, and what was measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Figure:
    """One measured number; `at_least` or `at_most` is what it must be."""

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

    def row(self) -> list[str]:
        if self.at_least is None and self.at_most is None:
            return [self.name, f"{self.value:.3g}", "", "", self.note]
        bound = f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"
        return [self.name, f"{self.value:.3g}", bound, "kept" if self.kept else "MISSED", self.note]


def seconds(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the median wall time of `work`."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return median(times)
