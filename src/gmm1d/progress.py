"""A progress bar on stderr for work that lasts, by tqdm."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, TypeVar

from gmm1d.errors import InputError, require

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")
PATIENCE = 1.0  # seconds that may pass without a bar


def watched(
    items: Iterable[T], what: str, progress: bool | None, total: int | None = None
) -> Iterable[T]:
    """Return the items, with a bar that follows them.

    Parameters
    ----------
    what : str
        What the bar counts.
    progress : bool or None
        Whether there is a bar; None: on a terminal, if tqdm is installed and the work lasts more than a second.

    Raises
    ------
    MissingExtraError
        If a bar is asked for and tqdm is not installed.
    """
    check_progress(progress)
    delay = 0.0
    if progress is None:
        delay = PATIENCE
        progress = sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None
    if not progress:
        return items
    bar: Iterable[T] = require("tqdm", "progress").tqdm(
        items, desc=what, total=total, delay=delay, leave=False
    )
    return bar


def check_progress(progress: object) -> None:
    """Refuse what is neither True, False nor None.

    Raises
    ------
    InputError
        Saying so.
    """
    if progress is not None and not isinstance(progress, bool):
        raise InputError(f"progress must be True, False or None, not {progress!r}")
