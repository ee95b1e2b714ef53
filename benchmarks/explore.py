"""How long `gmm1d explore` keeps its user waiting: for the page, for 10^6 values, for a change of k."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from figures import Figure, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

KS = (*range(1, 11), *range(9, 0, -1))  # as a user goes up and down
NEEDED = ("static/specs.json", "static/vega.js", "hello")  # before the first picture


def measure() -> list[Figure]:
    starts = [_started() for _ in range(3)]
    for other, _ in starts[:-1]:
        _ended(other)
    page, _ = starts[-1]
    try:
        rng = np.random.default_rng(0)
        figures = [
            *_figures(page.address, "well apart", _bumps(rng, 1.0)),
            *_figures(page.address, "overlapping", _bumps(rng, 2.0)),
            *_figures(page.address, "lognormal", rng.lognormal(size=1_000_000)),
        ]
    finally:
        _ended(page)
    waits = [sorted(taken)[1] for taken in zip(*(taken for _, taken in starts), strict=True)]
    names = "from the command to the first page, seconds", "to all that its pictures need, seconds"
    first = [
        Figure(name, wait, at_most=most, note="median of 3")
        for name, wait, most in zip(names, waits, (2, 2), strict=True)
    ]
    return [*first, *figures]


class Page(subprocess.Popen[str]):
    """The command, with the address that it printed."""

    address: str


def _started() -> tuple[Page, tuple[float, float]]:
    """Start the command, and return it with the seconds until its page was there, and all that pictures need."""
    begin = time.perf_counter()
    command = [str(Path(sys.executable).with_name("gmm1d")), "explore", "--no-browser"]
    page = Page(command, stdout=subprocess.PIPE, text=True)
    assert page.stdout is not None
    page.address = page.stdout.readline().strip()
    shown = _read(page.address, begin)
    return page, (shown, max(_read(page.address + name, begin) for name in NEEDED))


def _read(address: str, begin: float) -> float:
    with urllib.request.urlopen(address) as answer:
        answer.read()
    return time.perf_counter() - begin


def _ended(page: Page) -> None:
    page.terminate()
    page.communicate()


def _bumps(rng: np.random.Generator, std: float) -> NDArray[np.float64]:
    return rng.normal(5.0 * rng.integers(4, size=1_000_000), std)


def _figures(address: str, name: str, x: NDArray[np.float64]) -> list[Figure]:
    """Load the values as text, and change k up and down, each time by a request of its own."""
    text = "\n".join(map(repr, x.tolist())).encode()
    data: dict[str, Any] = {}
    loading = seconds(lambda: data.update(_asked(address + "data", text)), 1)

    def fitted(**question: object) -> float:
        body = json.dumps({"id": data["id"], **question}).encode()
        return seconds(lambda: _asked(address + "fit", body), 1)

    waits = {(turn, k): fitted(k=k) for turn, k in enumerate(KS)}
    worst = max(waits, key=lambda at: waits[at])
    size = f"10^6 values, {name}"
    return [
        Figure(f"{size}: from text to picture, seconds", loading, note=f"{len(text) / 1e6:.0f} MB"),
        Figure(
            f"{size}: a change of k, seconds, the longest of {len(KS)}",
            waits[worst],
            at_most=0.25,
            note=f"k = {worst[1]}",
        ),
        Figure(f"{size}: auto, after that, seconds", fitted(k="auto")),
    ]


def _asked(address: str, body: bytes) -> Any:
    request = urllib.request.Request(address, body)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())
