"""How long the page of `gmm1d explore` keeps its user waiting: for its first answer, for 10^6 values, for a change of k."""

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

KS = (1, 2, 3, 4, 5, 6, 5, 4, 3, 2)  # as a user goes up and down


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
    first = Figure(
        "from the command to the first page, seconds",
        sorted(taken for _, taken in starts)[1],
        at_most=2,
        note="median of 3",
    )
    return [first, *figures]


class Page(subprocess.Popen[str]):
    """The command, with the address that it printed."""

    address: str


def _started() -> tuple[Page, float]:
    """Start the command, and return it with the seconds until its page was there."""
    begin = time.perf_counter()
    command = [str(Path(sys.executable).with_name("gmm1d")), "explore", "--no-browser"]
    page = Page(command, stdout=subprocess.PIPE, text=True)
    assert page.stdout is not None
    page.address = page.stdout.readline().strip()
    with urllib.request.urlopen(page.address) as answer:
        answer.read()
    return page, time.perf_counter() - begin


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
            at_most=0.2,
            note=f"k = {worst[1]}",
        ),
        Figure(f"{size}: auto, after that, seconds", fitted(k="auto")),
        Figure(f"{size}: a thorough search, k = 6, seconds", fitted(k=6, thorough=True)),
    ]


def _asked(address: str, body: bytes) -> Any:
    request = urllib.request.Request(address, body)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())
