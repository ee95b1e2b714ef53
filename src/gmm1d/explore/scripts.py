"""Scripts and styles that the page asks for: files of the package, and what libraries make, once and ahead of time."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gmm1d.pages import assets

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
MEDIA = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
MADE: dict[str, tuple[Callable[[], str], str, threading.Lock]] = {
    "specs.json": (assets.all_specs, "application/json", threading.Lock()),
    "vega.js": (assets.vega, MEDIA[".js"], threading.Lock()),
}


def files() -> dict[str, tuple[bytes, str]]:
    """Return files and their media types, by their names."""
    return {
        path.name: (path.read_bytes(), MEDIA[path.suffix])
        for folder in (assets.STATIC, HERE)
        for path in sorted(folder.iterdir())
        if path.suffix in MEDIA
    }


def made(name: str) -> tuple[bytes, str]:
    """Return one of the `MADE`; who asks while it is being made waits.

    Raises
    ------
    MissingExtraError
        If a library is not installed.
    """
    make, media, turn = MADE[name]
    with turn:
        return make().encode(), media


def prepare() -> None:
    """Make all."""
    with suppress(Exception):  # which is told when it is asked for
        assets.begin()
        for name in MADE:
            made(name)
