"""A progress bar on stderr for work that lasts, by tqdm."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from gmm1d.errors import InputError, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    shown, delay = _shown(progress)
    if not shown:
        return items
    bar: Iterable[T] = require("tqdm", "progress").tqdm(
        items, desc=what, total=total, delay=delay, leave=False
    )
    return bar


def _shown(progress: bool | None) -> tuple[bool, float]:
    """Say whether there is a bar, and after how many seconds."""
    check_progress(progress)
    if progress is None:
        return sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None, PATIENCE
    return progress, 0.0


def check_progress(progress: object) -> None:
    """Refuse what is neither True, False nor None.

    Raises
    ------
    InputError
        Saying so.
    """
    if progress is not None and not isinstance(progress, bool):
        raise InputError(f"progress must be True, False or None, not {progress!r}")


def metered(
    batches: Iterable[Any], what: str, total: int | None, progress: bool | None
) -> Iterator[Any]:
    """Yield Arrow batches, with a bar that counts their rows as `watched` counts items.

    Parameters
    ----------
    what : str
        Where the rows come from.
    total : int or None
        About how many there are.
    """
    shown, delay = _shown(progress)
    if not shown:
        yield from batches
        return
    tqdm = require("tqdm", "progress").tqdm
    with tqdm(
        desc=what, total=total, delay=delay, leave=False, unit=" rows", unit_scale=True
    ) as bar:
        for batch in batches:
            bar.update(batch.num_rows)
            yield batch
